// Unix sockets by paths of any length, packets, and the descriptors that travel with them.
#include "shm/local_socket.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::ptrdiff_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

class LocalSocket : public testing::Test {
protected:
    Result<Descriptor> listening(const std::string& folder) { return listen_at(folder, "control.sock", std::nullopt); }

    test::TemporaryFolder folder_;
};

// Both ends of a connection at `folder`.
struct Connection {
    Descriptor server, client, listener;
};

Connection connected(const std::string& folder) {
    Connection c;
    auto listener = listen_at(folder, "control.sock", std::nullopt);
    EXPECT_TRUE(listener.has_value()) << listener.error().message;
    auto client = connect_to(folder, "control.sock");
    EXPECT_TRUE(client.has_value()) << client.error().message;
    c.listener = std::move(*listener);
    c.client = std::move(*client);
    c.server.reset(::accept4(c.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(c.server);
    return c;
}

std::string receive(int socket, Descriptor& descriptor) {
    std::array<char, 4'096> buffer;
    const ssize_t size = receive_packet(socket, buffer.data(), buffer.size(), descriptor);
    return size < 0 ? "error " + std::to_string(errno) : std::string(buffer.data(), static_cast<std::size_t>(size));
}

TEST_F(LocalSocket, CarriesPacketsBothWays) {
    const Connection c = connected(folder_.path());
    Descriptor none;
    EXPECT_TRUE(send_packet(c.client.get(), "question"));
    EXPECT_TRUE(send_packet(c.client.get(), std::string("with\0zero", 9)));
    EXPECT_EQ(receive(c.server.get(), none), "question");
    EXPECT_EQ(receive(c.server.get(), none), std::string("with\0zero", 9));
    EXPECT_TRUE(send_packet(c.server.get(), "answer"));
    EXPECT_EQ(receive(c.client.get(), none), "answer");
    EXPECT_FALSE(none);
}

// A path in a socket's address has at most 107 bytes; folders have more.
TEST_F(LocalSocket, WorksInFoldersOfAnyLength) {
    std::string folder = folder_.path();
    for (int depth = 0; depth < 12; ++depth) {
        folder += "/" + std::string(200, static_cast<char>('a' + depth));
        ASSERT_TRUE(std::filesystem::create_directory(folder));
        const Connection c = connected(folder);
        Descriptor none;
        EXPECT_TRUE(send_packet(c.client.get(), "x"));
        EXPECT_EQ(receive(c.server.get(), none), "x");
    }
}

TEST_F(LocalSocket, ANameThatIsTooLongIsRefused) {
    const auto listener = listen_at(folder_.path(), std::string(200, 'n'), std::nullopt);
    ASSERT_FALSE(listener.has_value());
    EXPECT_EQ(listener.error().kind, ErrorKind::system);
    EXPECT_FALSE(connect_to(folder_.path(), std::string(200, 'n')).has_value());
}

TEST_F(LocalSocket, IsForUserAndGroupOnly) {
    const mode_t before = ::umask(0);
    const auto listener = listening(folder_.path());
    EXPECT_EQ(::umask(before), 0u) << "the mask is as it was";
    ASSERT_TRUE(listener.has_value());
    struct stat s{};
    ASSERT_EQ(::stat((folder_ / "control.sock").c_str(), &s), 0);
    EXPECT_TRUE(S_ISSOCK(s.st_mode));
    EXPECT_EQ(s.st_mode & 0777, 0660u);
    EXPECT_NE(::fcntl(listener->get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(LocalSocket, IsGivenToItsGroupIfThatIsAllowed) {
    EXPECT_TRUE(listen_at(folder_.path(), "control.sock", ::getegid()).has_value());
    ::chmod(folder_.path().c_str(), 0777);
    const test::WithoutRights nobody;
    const auto listener = listen_at(folder_.path(), "other.sock", 0xFFFF'FFF0);
    ASSERT_FALSE(listener.has_value());
    EXPECT_EQ(listener.error().kind, ErrorKind::refused);
}

TEST_F(LocalSocket, ReplacesWhatADeadEngineLeft) {
    { const auto dead = listening(folder_.path()); }
    EXPECT_TRUE(std::filesystem::exists(folder_ / "control.sock"));
    EXPECT_TRUE(listening(folder_.path()).has_value());
    std::filesystem::remove(folder_ / "control.sock");
    std::ofstream(folder_ / "control.sock") << "a file";
    connected(folder_.path());
}

TEST_F(LocalSocket, WithoutAListenerThereIsNoEngine) {
    struct Row {
        std::string folder;
        const char* why;
    };
    { const auto dead = listening(folder_.path()); }
    std::filesystem::create_directory(folder_ / "empty");
    for (const Row& row : {Row{folder_.path(), "dead"}, Row{folder_ / "empty", "no socket"}, Row{folder_ / "missing", "no folder"}}) {
        const auto client = connect_to(row.folder, "control.sock");
        ASSERT_FALSE(client.has_value()) << row.why;
        EXPECT_EQ(client.error().kind, ErrorKind::no_engine) << row.why;
        EXPECT_THAT(client.error().message, HasSubstr(row.folder + "/control.sock"));
    }
}

TEST_F(LocalSocket, WithoutPermissionIsRefused) {
    const auto listener = listening(folder_.path());
    ::chmod((folder_ / "control.sock").c_str(), 0);
    const test::WithoutRights nobody;
    const auto client = connect_to(folder_.path(), "control.sock");
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().kind, ErrorKind::refused);
}

TEST_F(LocalSocket, ListeningWhereThereIsNoFolderFails) {
    const auto listener = listening(folder_ / "missing");
    ASSERT_FALSE(listener.has_value());
    EXPECT_THAT(listener.error().message, HasSubstr("missing/control.sock"));
}

TEST_F(LocalSocket, HandsOverADescriptor) {
    const Connection c = connected(folder_.path());
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    Descriptor reading(ends[0]), writing(ends[1]), got;
    ASSERT_TRUE(send_packet(c.client.get(), "take it", writing.get()));
    EXPECT_EQ(receive(c.server.get(), got), "take it");
    ASSERT_TRUE(got);
    EXPECT_NE(::fcntl(got.get(), F_GETFD) & FD_CLOEXEC, 0);
    writing.reset();
    ASSERT_EQ(::write(got.get(), "!", 1), 1) << "it is the same pipe";
    char byte = 0;
    ASSERT_EQ(::read(reading.get(), &byte, 1), 1);
    EXPECT_EQ(byte, '!');
}

// A hostile client sends several at once, or more than there is room for: one is kept, none stays open unowned.
TEST_F(LocalSocket, NoDescriptorOfAHostileClientStaysOpen) {
    const Connection c = connected(folder_.path());
    for (const std::size_t count : {2u, 3u, 4u, 5u, 50u}) {
        const auto before = open_descriptors();
        std::vector<char> control(CMSG_SPACE(sizeof(int) * count));
        char byte = 'x';
        iovec part{&byte, 1};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        const std::vector<int> many(count, c.client.get());
        std::memcpy(CMSG_DATA(header), many.data(), sizeof(int) * count);
        ASSERT_EQ(::sendmsg(c.client.get(), &message, 0), 1);
        {
            Descriptor first;
            EXPECT_EQ(receive(c.server.get(), first), "x");
            EXPECT_TRUE(first);
        }
        EXPECT_EQ(open_descriptors(), before) << count;
    }
}

TEST_F(LocalSocket, APacketThatDoesNotFitIsAnErrorAndTheNextOneArrives) {
    const Connection c = connected(folder_.path());
    const auto before = open_descriptors();
    ASSERT_TRUE(send_packet(c.client.get(), std::string(5'000, 'x'), c.client.get()));
    ASSERT_TRUE(send_packet(c.client.get(), std::string(4'096, 'y')));
    {
        Descriptor came_along;
        EXPECT_EQ(receive(c.server.get(), came_along), "error " + std::to_string(EMSGSIZE));
    }
    EXPECT_EQ(open_descriptors(), before);
    Descriptor none;
    EXPECT_EQ(receive(c.server.get(), none), std::string(4'096, 'y'));
    EXPECT_FALSE(none);
}

TEST_F(LocalSocket, ManyPacketsComeAtOnce) {
    Connection c = connected(folder_.path());
    PacketBatch batch;
    EXPECT_EQ(batch.receive(c.server.get()), 0u);
    EXPECT_EQ(errno, EAGAIN);
    std::vector<std::string> packets;
    for (std::size_t i = 0; i < PacketBatch::most + 8; ++i) packets.push_back("packet " + std::to_string(i));
    ASSERT_EQ(send_packets(c.client.get(), packets), packets.size());
    ASSERT_EQ(batch.receive(c.server.get()), PacketBatch::most);
    for (std::size_t i = 0; i < PacketBatch::most; ++i) EXPECT_EQ(batch[i], packets[i]);
    ASSERT_EQ(batch.receive(c.server.get()), 8u);
    EXPECT_EQ(batch[7], packets.back());
    c.client.reset();
    ASSERT_GE(batch.receive(c.server.get()), 1u);
    EXPECT_EQ(batch[0], "") << "the end of the connection";
}

TEST_F(LocalSocket, ManyPacketsBringTheirDescriptorsAndSomeDoNotFit) {
    const Connection c = connected(folder_.path());
    const auto before = open_descriptors();
    {
        PacketBatch batch;
        for (int round = 0; round < 2; ++round) {
            ASSERT_TRUE(send_packet(c.client.get(), "none"));
            ASSERT_TRUE(send_packet(c.client.get(), "one", c.client.get()));
            ASSERT_TRUE(send_packet(c.client.get(), std::string(PacketBatch::longest + 1, 'x'), c.client.get()));
            ASSERT_TRUE(send_packet(c.client.get(), std::string(PacketBatch::longest, 'y')));
            ASSERT_EQ(batch.receive(c.server.get()), 4u);
            EXPECT_EQ(open_descriptors(), before + 2) << "those of the round before are closed";
            EXPECT_FALSE(batch.take_descriptor(0));
            EXPECT_TRUE(batch.take_descriptor(1));
            EXPECT_EQ(open_descriptors(), before + 1) << "whoever took it has closed it";
            EXPECT_EQ(batch[2], std::nullopt);
            EXPECT_EQ(batch[3], std::string(PacketBatch::longest, 'y'));
        }
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(LocalSocket, ManyPacketsAreSentAsFarAsThereIsRoom) {
    const Connection c = connected(folder_.path());
    const std::vector<std::string> packets(100'000, std::string(1'000, 'x'));
    const std::size_t sent = send_packets(c.client.get(), packets);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GT(sent, 0u);
    EXPECT_LT(sent, packets.size());
    PacketBatch batch;
    std::size_t received = 0;
    while (const std::size_t count = batch.receive(c.server.get())) received += count;
    EXPECT_EQ(received, sent);
}

TEST_F(LocalSocket, NeverBlocks) {
    const Connection c = connected(folder_.path());
    Descriptor none;
    EXPECT_EQ(receive(c.client.get(), none), "error " + std::to_string(EAGAIN));
    int sent = 0;
    while (send_packet(c.client.get(), std::string(1'000, 'x'))) ASSERT_LT(++sent, 100'000);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GT(sent, 0);
    EXPECT_EQ(receive(c.server.get(), none), std::string(1'000, 'x')) << "and nothing was lost";
}

TEST_F(LocalSocket, WritingToWhoIsGoneIsAnErrorAndNoSignal) {
    Connection c = connected(folder_.path());
    c.server.reset();
    EXPECT_FALSE(send_packet(c.client.get(), "x"));
    EXPECT_EQ(errno, EPIPE);
    Descriptor none;
    EXPECT_EQ(receive(c.client.get(), none), "") << "the end of the connection";
}

TEST_F(LocalSocket, WaitsUntilThereIsSomethingToRead) {
    Connection c = connected(folder_.path());
    EXPECT_FALSE(wait_readable(c.server.get(), 0s));
    EXPECT_FALSE(wait_readable(c.server.get(), -1s));
    EXPECT_FALSE(wait_readable(c.server.get(), 1ms));
    std::jthread later([&] { send_packet(c.client.get(), "x"); });
    EXPECT_TRUE(wait_readable(c.server.get(), 1h));
    Descriptor none;
    EXPECT_EQ(receive(c.server.get(), none), "x");
    later.join();
    c.client.reset();
    EXPECT_TRUE(wait_readable(c.server.get(), 1h)) << "the end is worth a look, too";
}

}  // namespace
}  // namespace rollcall::shm
