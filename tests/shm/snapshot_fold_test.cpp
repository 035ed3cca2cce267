// The fold: one event applied to an image, whatever the event says and whatever became of its blob.
#include <gtest/gtest.h>

#include "shm/snapshot.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

class Fold : public testing::Test {
protected:
    Fold() : blob_number_(test::add_blob_extent(roster(), 3)) {}

    Roster& roster() { return segment_.writable(); }

    void put_blob(std::uint64_t sequence, const std::string& endpoint) {
        Blob blob;
        blob.sequence = Sequence{sequence};
        blob.set_text(endpoint, "", "");
        store_blob(roster(), blob_number_, blob);
    }
    StoredEvent event(std::uint64_t sequence, EventKind kind, State state) {
        StoredEvent e;
        e.sequence = e.hot.lsn = Sequence{sequence};
        e.slot = Slot{2};
        e.kind = kind;
        e.hot.state = state;
        e.hot.incarnation = Incarnation{sequence};
        e.hot.blob = state == State::none ? no_index : blob_number_;
        e.view = sequence;
        e.name = Name::of("a");
        return e;
    }
    void apply(const StoredEvent& e) { fold(roster(), image_, e); }
    const SlotImage& slot() const { return image_.slots.at(2); }

    Segment segment_ = test::private_segment(8);
    std::uint32_t blob_number_;
    Image image_;
};

TEST_F(Fold, AJoinBringsPeerAndBlob) {
    put_blob(5, "here");
    apply(event(5, EventKind::joined, State::alive));
    EXPECT_EQ(image_.at, Sequence{5});
    EXPECT_EQ(image_.view, 5u);
    EXPECT_EQ(slot().hot.state, State::alive);
    EXPECT_EQ(slot().name, Name::of("a"));
    EXPECT_EQ(slot().blob.endpoint(), "here");
    EXPECT_EQ(image_.pending, 0u);
}

TEST_F(Fold, AnEventThatTheSlotHasSeenChangesOnlyThePosition) {
    put_blob(5, "here");
    apply(event(5, EventKind::joined, State::alive));
    apply(event(5, EventKind::dead, State::dead));
    EXPECT_EQ(slot().hot.state, State::alive);
    StoredEvent older = event(4, EventKind::left, State::none);
    apply(older);
    EXPECT_EQ(slot().hot.state, State::alive);
    EXPECT_EQ(image_.at, Sequence{4});
}

TEST_F(Fold, AJudgementKeepsTheBlob) {
    put_blob(5, "here");
    apply(event(5, EventKind::joined, State::alive));
    apply(event(6, EventKind::suspect, State::suspect));
    apply(event(7, EventKind::dead, State::dead));
    EXPECT_EQ(slot().hot.state, State::dead);
    EXPECT_EQ(slot().blob.endpoint(), "here");
    StoredEvent proof = event(8, EventKind::updated, State::dead);
    proof.hot.reason = Reason::process_exit;
    apply(proof);
    EXPECT_EQ(slot().hot.reason, Reason::process_exit);
    EXPECT_EQ(slot().blob.endpoint(), "here") << "a proof is an update that brings no blob";
    EXPECT_EQ(image_.pending, 0u);
}

TEST_F(Fold, ADepartureForgetsPeerAndBlob) {
    put_blob(5, "here");
    apply(event(5, EventKind::joined, State::alive));
    apply(event(6, EventKind::left, State::none));
    EXPECT_EQ(slot().hot.state, State::none);
    EXPECT_EQ(slot().hot.lsn, Sequence{6}) << "a freed slot keeps its LSN";
    EXPECT_EQ(slot().blob.endpoint(), "");
}

// The blob was reused before the fold came to it: a later event must bring another.
TEST_F(Fold, NeverTakesABlobThatWasReused) {
    put_blob(9, "somebody else's");
    apply(event(5, EventKind::joined, State::alive));
    EXPECT_TRUE(slot().blob_pending);
    EXPECT_EQ(image_.pending, 1u);
    EXPECT_EQ(slot().blob.endpoint(), "");
    apply(event(6, EventKind::suspect, State::suspect));
    EXPECT_EQ(image_.pending, 1u) << "a judgement brings none";
    apply(event(9, EventKind::updated, State::suspect));
    EXPECT_EQ(image_.pending, 0u);
    EXPECT_EQ(slot().blob.endpoint(), "somebody else's");
}

TEST_F(Fold, APendingBlobIsSettledByADeparture) {
    put_blob(9, "somebody else's");
    apply(event(5, EventKind::joined, State::alive));
    ASSERT_EQ(image_.pending, 1u);
    apply(event(6, EventKind::left, State::none));
    EXPECT_EQ(image_.pending, 0u);
}

// A blob that is being written has sequence 0. So has a slot that had none: the two must not be taken for each other.
TEST_F(Fold, NeverTakesABlobThatIsBeingWritten) {
    put_blob(9, "half of somebody else's");
    roster().blob(blob_number_)[0].store(0);
    apply(event(5, EventKind::joined, State::alive));
    EXPECT_TRUE(slot().blob_pending);
    EXPECT_EQ(slot().blob.endpoint(), "");
    apply(event(6, EventKind::updated, State::alive));
    EXPECT_TRUE(slot().blob_pending);
    EXPECT_EQ(image_.pending, 1u);
}

TEST_F(Fold, ABlobThatCannotBeIsPending) {
    for (const std::uint32_t number : {blob_number_ + 1, no_index, 12'345'678u}) {
        image_ = {};
        StoredEvent e = event(5, EventKind::joined, State::alive);
        e.hot.blob = number;
        apply(e);
        EXPECT_TRUE(slot().blob_pending) << number;
    }
}

TEST_F(Fold, ASlotThatCannotBeChangesNothing) {
    put_blob(5, "here");
    apply(event(5, EventKind::joined, State::alive));
    for (const Slot impossible : {Slot{8}, Slot{9}, no_slot}) {
        StoredEvent e = event(6, EventKind::left, State::none);
        e.slot = impossible;
        apply(e);
    }
    EXPECT_EQ(image_.slots.size(), 3u);
    EXPECT_EQ(slot().hot.state, State::alive);
    EXPECT_EQ(image_.at, Sequence{6});
}

}  // namespace
}  // namespace rollcall::shm
