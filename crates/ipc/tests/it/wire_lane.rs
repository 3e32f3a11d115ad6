//! Connections, answers and ends over a lane, and a worker that dies or lies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::fs::File;
use std::future::poll_fn;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Context;

use portcrew_ipc::error::{LaneError, LaneOffence};
use portcrew_ipc::lane::{
    Answer, Beat, ConnRecord, Ended, LANE_BATCH, LaneDrained, LaneEvent, LanePrimary, LaneWorker,
    Offered, Sent, Verdict,
};
use portcrew_ipc::socket;

use crate::common::wire::{descriptor, identity, within};

fn lane() -> (LanePrimary, LaneWorker) {
    let (primary, worker) = socket::pair_seqpacket().unwrap();
    (LanePrimary::from_fd(primary).unwrap(), LaneWorker::from_fd(worker).unwrap())
}

fn records(seqs: impl Iterator<Item = u64>) -> Vec<ConnRecord> {
    seqs.map(|seq| ConnRecord { seq, listener: 3 }).collect()
}

fn borrowed(fds: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    fds.iter().map(AsFd::as_fd).collect()
}

fn answers(seqs: std::ops::Range<u64>) -> Vec<Answer> {
    seqs.map(|seq| Answer { seq, verdict: Verdict::Accepted }).collect()
}

async fn conns(worker: &mut LaneWorker) -> Result<(LaneEvent, Vec<Offered>), LaneError> {
    let mut conns = Vec::new();
    let event = within(poll_fn(|cx| worker.poll_conns(cx, &mut conns))).await?;
    Ok((event, conns))
}

async fn answered(primary: &LanePrimary) -> Result<(LaneEvent, Vec<Answer>), LaneError> {
    let (event, answers, ended) = said(primary).await?;
    assert_eq!(ended, []);
    Ok((event, answers))
}

async fn said(primary: &LanePrimary) -> Result<(LaneEvent, Vec<Answer>, Vec<Ended>), LaneError> {
    let (mut answers, mut ended, mut beats) = (Vec::new(), Vec::new(), Vec::new());
    let read =
        |cx: &mut Context<'_>| primary.poll_answers(cx, &mut answers, &mut ended, &mut beats);
    let event = within(poll_fn(read)).await?;
    assert_eq!(beats, []);
    Ok((event, answers, ended))
}

/// What a worker that is gone has said.
fn last_words(primary: &LanePrimary) -> (LaneDrained, Vec<Answer>, Vec<Ended>) {
    let (mut answers, mut ended) = (Vec::new(), Vec::new());
    let drained = primary.try_answers(&mut answers, &mut ended, &mut Vec::new()).unwrap();
    (drained, answers, ended)
}

#[tokio::test]
async fn a_full_batch_arrives_with_every_descriptor_in_its_place() {
    let (mut primary, mut worker) = lane();
    let fds: Vec<_> = (0..LANE_BATCH).map(|_| descriptor()).collect();
    let batch = records(0..64);
    assert_eq!(primary.try_offer(&batch, &borrowed(&fds)).unwrap(), Sent::All);
    let (event, conns) = conns(&mut worker).await.unwrap();
    assert_eq!(event, LaneEvent::Received);
    let arrived = conns.into_iter().map(|(record, fd)| (record, identity(fd.unwrap())));
    assert!(arrived.eq(batch.into_iter().zip(fds.iter().map(identity))));
}

#[tokio::test]
async fn answers_come_back_whatever_their_number() {
    let (primary, mut worker) = lane();
    let mut given = answers(0..150);
    given[1].verdict = Verdict::Refused;
    given[2].verdict = Verdict::Lost;
    given[3].verdict = Verdict::Kept;
    assert_eq!(worker.try_answer(&given).unwrap(), 150);
    let (event, got) = answered(&primary).await.unwrap();
    assert_eq!((event, got), (LaneEvent::Received, given));
    assert_eq!(worker.try_answer(&[]).unwrap(), 0, "nothing is sent for nothing");
}

#[tokio::test]
async fn ends_are_told_whatever_their_number_and_apart_from_answers() {
    let (primary, mut worker) = lane();
    let told: Vec<_> = (0..150).map(|seq| Ended { seq }).collect();
    assert_eq!(worker.try_answer(&answers(0..150)).unwrap(), 150);
    assert_eq!(worker.try_tell_ended(&told).unwrap(), 150);
    assert_eq!(worker.try_answer(&answers(150..151)).unwrap(), 1);
    let expected = (LaneEvent::Received, answers(0..151), told);
    assert_eq!(said(&primary).await.unwrap(), expected);
    assert_eq!(worker.try_tell_ended(&[]).unwrap(), 0, "nothing is sent for nothing");
}

#[tokio::test]
async fn a_full_lane_takes_the_ends_that_fit_and_tells_when_there_is_room() {
    let (primary, mut worker) = lane();
    let told: Vec<_> = (0..1_000_000).map(|seq| Ended { seq }).collect();
    let sent = worker.try_tell_ended(&told).unwrap();
    assert!(sent < told.len(), "the lane has no end");
    assert_eq!(last_words(&primary), (LaneDrained::Empty, vec![], told[..sent].to_vec()));
    within(poll_fn(|cx| worker.poll_writable(cx))).await.unwrap();
    assert_eq!(worker.try_tell_ended(&told[sent..=sent]).unwrap(), 1);
}

#[tokio::test]
async fn a_batch_that_is_empty_uneven_or_too_long_is_the_callers_mistake() {
    let (mut primary, _worker) = lane();
    let fds: Vec<_> = (0..=LANE_BATCH).map(|_| descriptor()).collect();
    for (records, fds) in
        [(records(0..0), 0), (records(0..2), 1), (records(0..1), 2), (records(0..65), 65)]
            .map(|(records, count)| (records, &fds[..count]))
    {
        let error = primary.try_offer(&records, &borrowed(fds)).unwrap_err();
        assert!(matches!(error, LaneError::BadBatch), "{error:?}");
    }
}

#[tokio::test]
async fn a_full_lane_takes_a_batch_whole_or_not_at_all_and_tells_when_there_is_room() {
    let (mut primary, mut worker) = lane();
    let fds = [descriptor(), descriptor()];
    let mut offered = 0;
    while primary.try_offer(&records(offered..offered + 2), &borrowed(&fds)).unwrap() == Sent::All {
        offered += 2;
        assert!(offered < 100_000, "the lane has no end");
    }
    let mut taken = Vec::new();
    assert_eq!(worker.try_conns(&mut taken).unwrap(), LaneDrained::Empty);
    let seqs = taken.iter().map(|(record, _)| record.seq);
    assert!(seqs.eq(0..offered), "a refused batch leaves nothing behind");
    within(poll_fn(|cx| primary.poll_writable(cx))).await.unwrap();
    assert_eq!(primary.try_offer(&records(0..2), &borrowed(&fds)).unwrap(), Sent::All);
}

const ENDED: Ended = Ended { seq: 4 };

/// A worker that answered ten connections, told the end of one and died with ten more unread.
fn dead_worker() -> LanePrimary {
    let (mut primary, mut worker) = lane();
    let fds: Vec<_> = (0..10).map(|_| descriptor()).collect();
    worker.try_answer(&answers(0..10)).unwrap();
    worker.try_tell_ended(&[ENDED]).unwrap();
    primary.try_offer(&records(10..20), &borrowed(&fds)).unwrap();
    drop(worker);
    primary
}

#[tokio::test]
async fn the_answers_of_a_worker_that_died_with_offers_unread_are_not_lost() {
    let primary = dead_worker();
    let words = (LaneEvent::Received, answers(0..10), vec![ENDED]);
    assert_eq!(said(&primary).await.unwrap(), words);
    assert_eq!(answered(&primary).await.unwrap(), (LaneEvent::Closed, vec![]));
}

#[tokio::test]
async fn the_drain_of_a_dead_worker_gives_its_answers_and_the_end() {
    let primary = dead_worker();
    assert_eq!(last_words(&primary), (LaneDrained::Closed, answers(0..10), vec![ENDED]));
}

#[tokio::test]
async fn a_shutdown_ends_the_lane_behind_what_was_said_though_the_worker_keeps_its_end() {
    let (mut primary, mut worker) = lane();
    primary.try_offer(&records(1..2), &[descriptor().as_fd()]).unwrap();
    worker.try_answer(&answers(0..10)).unwrap();
    primary.shutdown().unwrap();
    primary.shutdown().unwrap();
    assert!(worker.try_answer(&answers(10..11)).is_err(), "nothing is said behind it");
    let words = (LaneEvent::Received, answers(0..10), vec![]);
    assert_eq!(said(&primary).await.unwrap(), words);
    assert_eq!(answered(&primary).await.unwrap(), (LaneEvent::Closed, vec![]));
    assert_eq!(conns(&mut worker).await.unwrap().1.len(), 1, "what was offered arrives");
    assert_eq!(conns(&mut worker).await.unwrap().0, LaneEvent::Closed);
}

#[tokio::test]
async fn an_offer_to_a_dead_worker_fails_and_its_answers_are_still_there() {
    let mut primary = dead_worker();
    let fd = descriptor();
    for _ in 0..2 {
        let error = primary.try_offer(&records(20..21), &[fd.as_fd()]).unwrap_err();
        assert!(matches!(error, LaneError::PeerGone), "{error:?}");
    }
    assert_eq!(last_words(&primary), (LaneDrained::Closed, answers(0..10), vec![ENDED]));
}

#[tokio::test]
async fn a_worker_sees_the_end_of_its_primary_after_the_last_connection() {
    let (mut primary, mut worker) = lane();
    primary.try_offer(&records(1..2), &[descriptor().as_fd()]).unwrap();
    drop(primary);
    assert_eq!(conns(&mut worker).await.unwrap().1.len(), 1);
    assert_eq!(conns(&mut worker).await.unwrap().0, LaneEvent::Closed);
}

/// The reading end of a pipe whose writing end is returned as well: the end is seen once all copies of that
/// are closed.
fn tripwire() -> (File, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    (reader.into(), writer)
}

/// What a primary makes of a record, and the proof that it closed what came with it.
async fn offence_of_answers(record: &[u8], with_descriptor: bool) -> LaneOffence {
    let (primary, peer) = socket::pair_seqpacket().unwrap();
    let primary = LanePrimary::from_fd(primary).unwrap();
    let (mut reader, writer) = tripwire();
    let fds: &[_] = if with_descriptor { &[writer.as_fd()] } else { &[] };
    socket::send(&peer, record, fds).unwrap();
    let Err(LaneError::PeerMisbehaved(offence)) = answered(&primary).await else {
        panic!("{record:?} was taken")
    };
    drop(writer);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the descriptor is closed");
    offence
}

#[tokio::test]
async fn a_record_that_breaks_the_layout_is_refused() {
    let one = [1, 2, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(offence_of_answers(&one, true).await, LaneOffence::Descriptors);
    let end = [1, 3, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(offence_of_answers(&end, true).await, LaneOffence::Descriptors);
    assert_eq!(offence_of_answers(&end[..11], false).await, LaneOffence::Length);
    let beat = [1, 4, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(offence_of_answers(&beat, true).await, LaneOffence::Descriptors);
    assert_eq!(offence_of_answers(&beat[..11], false).await, LaneOffence::Length);
    assert_eq!(offence_of_answers(&[1, 5, 1, 0], false).await, LaneOffence::Kind(5));
    assert_eq!(offence_of_answers(&one[..3], false).await, LaneOffence::Length);
    assert_eq!(offence_of_answers(&[0; 5000], false).await, LaneOffence::Length);
    assert_eq!(offence_of_answers(&[9; 13], false).await, LaneOffence::Version(9));
    assert_eq!(offence_of_answers(&[1, 1, 1, 0], false).await, LaneOffence::Kind(1));
}

#[tokio::test]
async fn a_worker_refuses_an_offer_with_another_number_of_descriptors() {
    let offer = [1, 1, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0];
    for count in [0, 2] {
        let (peer, worker) = socket::pair_seqpacket().unwrap();
        let mut worker = LaneWorker::from_fd(worker).unwrap();
        let (mut reader, writer) = tripwire();
        socket::send(&peer, &offer, &vec![writer.as_fd(); count]).unwrap();
        let error = conns(&mut worker).await.unwrap_err();
        assert!(matches!(error, LaneError::PeerMisbehaved(LaneOffence::Descriptors)), "{error:?}");
        drop(writer);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the descriptors are closed");
    }
}

#[tokio::test]
async fn a_question_comes_back_behind_nothing_and_beside_connections() {
    let (mut primary, mut worker) = lane();
    let question = Beat { number: 7 };
    assert_eq!(primary.try_ask(question).unwrap(), Sent::All);
    assert!(conns(&mut worker).await.unwrap().1.is_empty());
    let fds = [descriptor()];
    assert_eq!(primary.try_offer(&records(0..1), &borrowed(&fds)).unwrap(), Sent::All);
    assert!(worker.try_beat().unwrap());
    assert_eq!(conns(&mut worker).await.unwrap().1.len(), 1);
    assert!(worker.try_beat().unwrap(), "nobody has asked since");
    let (mut answers, mut ended, mut beats) = (Vec::new(), Vec::new(), Vec::new());
    let drained = primary.try_answers(&mut answers, &mut ended, &mut beats).unwrap();
    assert_eq!((drained, beats), (LaneDrained::Empty, vec![question]));
    assert!(answers.is_empty() && ended.is_empty());
}

#[tokio::test]
async fn a_question_with_a_descriptor_breaks_the_lane() {
    let (ours, theirs) = socket::pair_seqpacket().unwrap();
    let mut worker = LaneWorker::from_fd(theirs).unwrap();
    let record = [1, 4, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0];
    socket::send(ours.as_fd(), &record, &[descriptor().as_fd()]).unwrap();
    let error = conns(&mut worker).await.unwrap_err();
    assert!(matches!(error, LaneError::PeerMisbehaved(LaneOffence::Descriptors)), "{error:?}");
}
