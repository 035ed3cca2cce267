// The page's files, as they lie beside this one; the build makes page_files.cpp of them.
#pragma once

#include <string_view>

namespace rollcall::cli {

extern const std::string_view page_html, page_css, page_js;

}  // namespace rollcall::cli
