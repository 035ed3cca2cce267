// What every function of the C library does at its edge: errors as numbers and text, text of C as text of ours, nothing thrown.
#pragma once

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "engine/c/rollcall.h"
#include "engine/peer.hpp"
#include "shm/error.hpp"

#define ROLLCALL_EXPORT extern "C" __attribute__((visibility("default")))

namespace rollcall::c {

inline std::string text(const char* from) { return from == nullptr ? std::string() : std::string(from); }

template <std::size_t N>
void put_text(char (&to)[N], std::string_view from) noexcept {
    std::size_t size = std::min(from.size(), N - 1);
    while (size > 0 && size < from.size() && (static_cast<unsigned char>(from[size]) & 0xC0) == 0x80) --size;  // at a whole character
    std::memcpy(to, from.data(), size);
    to[size] = '\0';
}

constexpr int number(ErrorKind kind) noexcept { return static_cast<int>(kind) + 1; }
static_assert(number(ErrorKind::invalid) == ROLLCALL_INVALID && number(ErrorKind::no_cluster) == ROLLCALL_NO_CLUSTER && number(ErrorKind::no_engine) == ROLLCALL_NO_ENGINE &&
              number(ErrorKind::held) == ROLLCALL_HELD && number(ErrorKind::full) == ROLLCALL_FULL && number(ErrorKind::refused) == ROLLCALL_REFUSED &&
              number(ErrorKind::replaced) == ROLLCALL_REPLACED && number(ErrorKind::unknown_node) == ROLLCALL_UNKNOWN_NODE && number(ErrorKind::incompatible) == ROLLCALL_INCOMPATIBLE &&
              number(ErrorKind::damaged) == ROLLCALL_DAMAGED && number(ErrorKind::timeout) == ROLLCALL_TIMEOUT && number(ErrorKind::busy) == ROLLCALL_BUSY &&
              number(ErrorKind::system) == ROLLCALL_SYSTEM);

inline int failed(rollcall_error* to, const Error& error) noexcept {
    if (to != nullptr) {
        to->kind = number(error.kind);
        put_text(to->message, error.message);
    }
    return number(error.kind);
}
// What the call returns; `fallback` where there was no memory for it. Nothing is thrown into C.
template <class Fallback, class Call>
Fallback guarded(rollcall_error* error, Fallback fallback, const Call& call) noexcept {
    try {
        return call();
    } catch (...) {  // of bad_alloc's kind: nothing else is thrown here
        if (error != nullptr) {
            error->kind = ROLLCALL_FULL;
            put_text(error->message, "no memory");
        }
        return fallback;
    }
}
template <class T>
int said(const Result<T>& result, rollcall_error* error) noexcept {
    return result ? ROLLCALL_OK : failed(error, result.error());
}

// Of a structure that its owner made, in this version or an earlier one: what it has; what came later is as it is by default.
template <class Options>
bool take_options(const Options* from, Options& options, rollcall_error* error) noexcept {
    options = {};
    if (from == nullptr || from->size < sizeof(std::size_t)) {
        failed(error, {ErrorKind::invalid, "the options are NULL, or their `size` is not set: .size = sizeof options"});
        return false;
    }
    std::memcpy(&options, from, std::min(from->size, sizeof options));
    return true;
}

// To a structure of its owner's version: the rest of it is zeros.
template <class Struct>
void give(const Struct& from, Struct* to, std::size_t size) noexcept {
    std::memset(static_cast<void*>(to), 0, size);
    std::memcpy(static_cast<void*>(to), &from, std::min(size, sizeof from));
}

rollcall_evidence evidence_of(const Evidence& evidence) noexcept;
rollcall_event event_of(const Event& event) noexcept;

}  // namespace rollcall::c
