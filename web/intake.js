// Where the worker's sound arrives: wires the port of a worker's sink to a Playout.
import { Ring } from './ring.js';

export function connectSink(port, playout) {
    let ring = null;
    port.onmessage = ({ data }) => {
        if (data.type === 'ring') {
            ring = new Ring(data.capacity, { buffer: data.buffer });
            playout.setRing(ring);
        } else {
            ring.write(data.frame, data.left, data.right, data.replaces, data.cut);
        }
    };
}
