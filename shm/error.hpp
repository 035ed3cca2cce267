// What set-up returns when it fails: a kind for programs, one line for people.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace rollcall {

enum class ErrorKind {
    invalid,      // an argument, a setting or a name makes no sense
    no_cluster,   // nothing has been created under this name
    no_engine,    // the memory is there, its engine is not
    held,         // somebody living holds it: a node id, an engine's lock
    full,         // capacity, memory or descriptors are exhausted
    refused,      // permission, owner, another cluster
    replaced,     // another life of this node has taken over
    unknown_node, // no such node
    incompatible, // another layout version, boot, time namespace
    damaged,      // what lies there is not rollcall's memory, or no longer
    timeout,      // time ran out
    busy,         // the inbox is over its bound, or a reader found no quiet moment
    system,       // the operating system said no
};

struct Error {
    ErrorKind kind{};
    std::string message;  // what, where, what to do; one line, no full stop
};

// Nothing is thrown across the library's edge.
template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
    return tl::unexpected<Error>{Error{kind, std::move(message)}};
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>{std::move(error)}; }

}  // namespace rollcall
