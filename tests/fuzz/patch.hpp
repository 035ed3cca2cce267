// What a fuzzing input does to an image: a list of small wounds, aimed at the fields that matter rather than at random offsets.
#pragma once

#include "tests/fuzz/image.hpp"
#include "tests/fuzz/input.hpp"

namespace rollcall::fuzz {

// Takes patches of twelve bytes from `input` until it is empty, at most `most`.
void wound(Image& image, Input& input, int most = 64);
// Undoes it all; copying the whole image for each run takes longer than the run.
void heal(Image& image, const Image& original);

}  // namespace rollcall::fuzz
