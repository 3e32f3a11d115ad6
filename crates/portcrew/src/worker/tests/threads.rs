//! The blocking worker.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use portcrew_core::ToWorker;

use super::primary::{Primary, connected, loopback};
use super::soon;
use crate::{Listen, blocking};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_accept_and_their_loops_end_with_the_drain() {
    let (mut primary, worker) = Primary::with_worker(true);
    let real = loopback();
    let at = real.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let worker = blocking::Worker::new(worker).unwrap();
        let listener = worker.listen(at).unwrap();
        thread::scope(|scope| {
            let accept = || {
                let mut served = 0;
                for stream in listener.incoming() {
                    stream.unwrap().write_all(b"hello").unwrap();
                    served += 1;
                }
                served
            };
            let threads = [scope.spawn(accept), scope.spawn(accept), scope.spawn(accept)];
            let served: usize = threads.map(|it| it.join().unwrap()).into_iter().sum();
            worker.wait_until_draining();
            worker.disconnect();
            served
        })
    });
    primary.online().await;
    primary.grant(at).await;
    for seq in 0..30 {
        let (mut client, accepted) = connected(&real);
        primary.offer(seq, &[&accepted]);
        assert_eq!(primary.answers().await[0].seq, seq);
        drop(accepted);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }
    primary.say(&ToWorker::Disconnect, None, 1).await;
    while primary.incoming().await.is_some() {}
    drop(primary);
    let served = soon(tokio::task::spawn_blocking(|| serving.join().unwrap())).await.unwrap();
    assert_eq!(served, 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_exclusive_listener_accepts_and_closes() {
    let (primary, worker) = Primary::new().await;
    let serving = tokio::task::spawn_blocking(move || {
        let worker = blocking::Worker::new(worker).unwrap();
        let listener = worker.listen(Listen::from("127.0.0.1:0").exclusive()).unwrap();
        let at = listener.local_addr().unwrap();
        let client = thread::spawn(move || {
            let mut byte = [0];
            TcpStream::connect(at).unwrap().read_exact(&mut byte).unwrap();
            byte
        });
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"x").unwrap();
        assert_eq!(&client.join().unwrap(), b"x");
        listener.close();
        assert!(listener.accept().is_err());
        assert!(TcpStream::connect(at).is_err());
    });
    soon(serving).await.unwrap();
    drop(primary);
}
