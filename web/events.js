// What the station says about the music comes ahead of its sound: keeps it until its frame is heard.

const KINDS = ['chord', 'section', 'note'];
const KEPT = 400;

export class EventQueue {
    #coming = [];

    put(event) {
        if (!KINDS.includes(event.event)) return;
        // What knows of fewer changes is untrue from there on.
        this.#coming = this.#coming.filter((other) => other.generation >= event.generation
            || other.at_frame < event.at_frame);
        this.#coming.push(event);
        this.#coming.sort((a, b) => a.at_frame - b.at_frame);
        if (this.#coming.length > KEPT) this.#coming.shift();
    }

    // What was said about the time from a frame on is untrue for those who know a later generation.
    supersede({ from_frame: frame, generation }) {
        this.#coming = this.#coming.filter((event) => event.at_frame < frame || event.generation >= generation);
    }

    // Those that have begun by `frame`, in order; they are given once.
    take(frame) {
        const after = this.#coming.findIndex((event) => event.at_frame > frame);
        return this.#coming.splice(0, after < 0 ? this.#coming.length : after);
    }

    clear() {
        this.#coming = [];
    }
}
