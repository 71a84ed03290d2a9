// Tunings: where the twelve pitch classes of a score lie, seen from its tonic.
//
// The tonic keeps the pitch that equal temperament gives it by A4 = 440 Hz, and octaves are pure: a change of key moves
// the other eleven. So A4 is 440 Hz in every tuning when the tonic is A, and may be some cents away when it is not.
#pragma once

enum { TUNING_CLASSES = 12, TUNING_NAME_BYTES = 16, TUNING_TITLE_BYTES = 80, TUNING_MOST_CENTS = 600 };

// A plain value: a row of `tunings`, or what score/scala.h reads.
struct tuning {
    char name[TUNING_NAME_BYTES];          // lower case, for options
    char title[TUNING_TITLE_BYTES];        // for people
    double offset_cents[TUNING_CLASSES];   // of n semitones above the tonic, from equal temperament; [0] is 0
};

// Places in `tunings`. The last stands for a scale that somebody brings along: equal temperament where nobody did.
enum { TUNING_EQUAL, TUNING_JUST, TUNING_PYTHAGOREAN, TUNING_SCALA };

extern const struct tuning tunings[];
extern const int tuning_count;
// A pitch of the score as it is to sound.
//   tonic: pitch class, 0 = C .. 11 = B.   midi: semitones, 69 = A4; what lies between two of them keeps its distance
//   from the nearer one.   Returns semitones.
double tuning_pitch(const struct tuning *tuning, int tonic, double midi);
