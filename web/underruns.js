// Counts underruns as the station wants them: those of the connection. The page counts since it was opened.

export class Underruns {
    #reported = 0;
    #before = 0;

    // Another connection: what has been reported belongs to those before it.
    reconnect() {
        this.#before = this.#reported;
    }

    // total: since the page was opened.   Returns those of this connection.
    report(total) {
        this.#reported = total;
        return total - this.#before;
    }
}
