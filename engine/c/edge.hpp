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
    const std::size_t size = std::min(from.size(), N - 1);
    std::memcpy(to, from.data(), size);
    to[size] = '\0';
}

constexpr int number(ErrorKind kind) noexcept { return static_cast<int>(kind) + 1; }
static_assert(number(ErrorKind::invalid) == ROLLCALL_INVALID && number(ErrorKind::held) == ROLLCALL_HELD && number(ErrorKind::system) == ROLLCALL_SYSTEM);

inline int failed(rollcall_error* to, const Error& error) noexcept {
    if (to != nullptr) {
        to->kind = number(error.kind);
        put_text(to->message, error.message);
    }
    return number(error.kind);
}
inline int no_memory(rollcall_error* to) noexcept {
    if (to != nullptr) {
        to->kind = ROLLCALL_FULL;
        put_text(to->message, "no memory");
    }
    return ROLLCALL_FULL;
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
