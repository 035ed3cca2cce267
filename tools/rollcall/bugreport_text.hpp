// Everything that helps somebody else to understand a cluster, as one text. Without what may be secret: values of tags; keys, credentials and
// their paths are not in the memory, and nothing else is read.
#pragma once

#include <functional>
#include <string_view>

#include "tools/rollcall/command.hpp"

namespace rollcall::cli {

// In pieces, each section below its heading; one that cannot be read is said in a line, and the rest follows. Its last line says that it is whole.
void write_bugreport(const std::function<void(std::string_view)>& out, const Common& common);

}  // namespace rollcall::cli
