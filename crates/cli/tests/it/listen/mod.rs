//! `--listen`: programs that know nothing of portcrew join a crew by the sockets that they are started with.

mod background;
mod explained;
mod kernel;
mod kills;
mod leaving;
mod left_behind;
mod mode;
mod node;
mod passed;
mod primary_killed;
mod protocols;
mod ready;
mod recipe;
mod refused;
mod reload;
mod scale;
mod shut;
mod udp;
mod unix;
mod world;
