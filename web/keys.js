// Keys as the station writes them: "A", "C# minor", "Eb major". A bare tonic is minor.

const STEPS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
export const TONICS = ['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'];

// {pitchClass 0..11, quality "minor" | "major"}; null when the text is no key.
export function parseKey(text) {
    const match = /^([A-G])([#b]?)(?: (minor|major))?$/i.exec(text);
    if (!match) return null;
    const bend = { '#': 1, b: -1 }[match[2]] ?? 0;
    return {
        pitchClass: (STEPS[match[1].toUpperCase()] + bend + 12) % 12,
        quality: (match[3] ?? 'minor').toLowerCase(),
    };
}

// The key on another tonic with the same third, so that the mode stays as it is.
export function withTonic(key, tonic) {
    return `${tonic} ${parseKey(key)?.quality ?? 'minor'}`;
}

// "C#" as people write it.
export function pretty(name) {
    return name.replace(/^([A-G])#/, '$1♯').replace(/^([A-G])b/, '$1♭');
}
