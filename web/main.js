// The page: shows what the player and the station say, and passes on what the user wants.
import { Controls, element } from './controls.js';
import { EventQueue } from './events.js';
import { pretty } from './keys.js';
import { Meter } from './meter.js';
import { Player } from './player.js';
import { Throttle } from './throttle.js';

const CONTROL_EVERY_MS = 100;
const FACTS_EVERY_MS = 250;
const NOTICE_MS = 8000;
const LOST_MS = 1000;
const VOLUME_KEY = 'auralis.volume';
// A change further ahead than this is worth a word.
const SOON_MS = 1500;
const STATES = { paused: 'Paused', starting: 'Starting', playing: 'Playing', buffering: 'Buffering' };
const CONNECTIONS = { connecting: 'Connecting', open: 'Connected', lost: 'Reconnecting' };
const BITRATES = [128000, 64000, 32000];

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const mostBitrate = BITRATES.find((bitrate) => bitrate === Number(query.get('bitrate'))) ?? BITRATES[0];
const player = new Player(query.get('format') === 'pcm' ? 'pcm' : 'opus', mostBitrate);
const events = new EventQueue();
const meter = new Meter(byId('meter'));
const throttle = new Throttle((parameters) => player.control(parameters, `page-${++controlsSent}`), CONTROL_EVERY_MS);
let controls = null;
let loading = false;
let scenes = [];
let parameters = null;
let controlsSent = 0;
let noticeTimer = null;
let reachTimer = null;

function setText(id, text) {
    const node = byId(id);
    if (node.textContent !== text) node.textContent = text;
}

function notify(text, kind = 'notice') {
    byId('notice').dataset.kind = kind;
    setText('notice', text);
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => setText('notice', ''), NOTICE_MS);
}

// --- player ---

function toggle() {
    if (player.state() !== 'paused') {
        player.pause();
        return;
    }
    player.play().catch((error) => {
        player.pause();
        notify(`No sound: ${error.message}`, 'error');
    });
}

function showPlayer() {
    const state = player.state();
    const paused = state === 'paused';
    document.body.dataset.state = state;
    byId('play').setAttribute('aria-label', paused ? 'Play' : 'Pause');
    setText('state', STATES[state]);
    showConnection();
    showReach(player.connection.state === 'open' && player.hello !== null);
    if (navigator.mediaSession) navigator.mediaSession.playbackState = paused ? 'paused' : 'playing';
}

// Below what we asked for, because more does not come through.
function showConnection() {
    const { state } = player.connection;
    const slow = state === 'open' && player.bitrate > 0 && player.bitrate < mostBitrate;
    byId('connection').dataset.state = slow ? 'slow' : state;
    setText('connection-text', slow ? `${player.bitrate / 1000} kb/s, slow connection` : CONNECTIONS[state]);
}

// Without a connection there is nothing to steer. A short loss does not take the focus away.
function showReach(connected) {
    clearTimeout(reachTimer);
    const apply = () => {
        for (const group of document.querySelectorAll('#controls fieldset')) group.disabled = !connected;
    };
    if (connected) apply();
    else reachTimer = setTimeout(apply, LOST_MS);
}

// Seconds of programme as d:hh:mm:ss without leading zeros.
function clockText(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const parts = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
    while (parts.length > 2 && parts[0] === 0) parts.shift();
    return parts.map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':');
}

function showFacts() {
    const stats = player.stats();
    const frame = stats.playhead_frame ?? player.liveFrame();
    setText('time', Number.isNaN(frame) ? '–' : clockText(frame / 48000));
    setText('buffer', stats.playhead_frame === null ? '–' : `${(stats.buffered_ms / 1000).toFixed(1)} s`);
    if (Number.isNaN(frame)) return;
    for (const event of events.take(frame)) showEvent(event);
}

function showEvent(event) {
    if (event.event === 'chord') setText('chord', pretty(event.name));
    if (event.event === 'section') setText('section', event.name);
    if (event.event !== 'note') showMediaSession();
}

function showMediaSession() {
    if (!navigator.mediaSession) return;
    const section = byId('section').textContent;
    navigator.mediaSession.metadata = new MediaMetadata({
        title: section || 'Auralis',
        artist: 'Auralis',
        album: player.hello?.station ?? '',
    });
}

// --- station ---

function showParameters(values) {
    parameters = values;
    controls?.show(values);
    showScene();
}

// Where the music is at home, whatever has been moved since.
function currentScene() {
    return scenes.find((scene) => scene.name === parameters?.scene);
}

function showScene() {
    const scene = currentScene();
    setText('scene', scene ? `${scene.title} — ${scene.line}` : '');
    for (const button of document.querySelectorAll('.scenes button')) {
        button.setAttribute('aria-pressed', String(button.dataset.scene === scene?.name));
    }
}

function makeScenes() {
    if (scenes.length === 0) return;
    const buttons = scenes.map((scene) => {
        const button = element('button', { type: 'button', textContent: scene.title, title: scene.line });
        button.dataset.scene = scene.name;
        button.addEventListener('click', () => throttle.put({ scene: scene.name }));
        return button;
    });
    const legend = element('legend', { textContent: 'Scenes' });
    const list = element('div', { className: 'scenes' }, ...buttons);
    byId('controls').prepend(element('fieldset', { className: 'card wide' }, legend, list));
}

async function loadControls() {
    if (loading || controls) return;
    loading = true;
    try {
        const table = await (await fetch('/api/parameters')).json();
        scenes = table.scenes ?? [];
        makeScenes();
        controls = new Controls(byId('controls'), table.parameters, (change) => throttle.put(change));
        if (parameters) showParameters(parameters);
        showPlayer();
    } catch (error) {
        notify(`The controls could not be loaded: ${error.message}`, 'error');
    } finally {
        loading = false;
    }
}

function takeAck(ack) {
    showParameters(ack.parameters);
    const waitMs = ack.at_frame / 48 - player.liveFrame() / 48;
    if (ack.warnings?.length) notify(ack.warnings.join(' '));
    else if (waitMs > SOON_MS) notify(`Heard in ${Math.round(waitMs / 1000)} seconds.`);
}

const onText = {
    hello: (hello) => {
        events.clear();
        showParameters(hello.parameters);
        loadControls();
    },
    status: (status) => showParameters(status.parameters),
    ack: takeAck,
    event: (event) => events.put(event),
    supersede: (supersede) => events.supersede(supersede),
    notice: (notice) => notify(notice.message),
    goodbye: (goodbye) => notify(goodbye.code === 'FAILED' ? 'The music has failed. It will be tried again shortly.'
        : `The server is going: ${goodbye.reason}`),
    error: (error) => {
        notify(error.message, 'error');
        controls?.revert();
    },
};

// --- wiring ---

function setUpVolume() {
    const slider = byId('volume');
    const stored = Number.parseFloat(localStorage.getItem(VOLUME_KEY));
    if (stored >= 0 && stored <= 1) slider.value = stored;
    const apply = () => {
        player.setVolume(Number(slider.value));
        slider.style.setProperty('--filled', `${slider.value * 100}%`);
        slider.setAttribute('aria-valuetext', `${Math.round(slider.value * 100)} %`);
    };
    slider.addEventListener('input', () => {
        apply();
        localStorage.setItem(VOLUME_KEY, slider.value);
    });
    apply();
}

// Space plays and pauses, unless it already means something where the focus is.
function takeKey(event) {
    const taken = event.target.closest('button, select, input[type="checkbox"], a');
    if (event.code !== 'Space' || taken || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    toggle();
}

function drawNext(nowMs) {
    meter.tick(nowMs, player.analyser, player.state() === 'playing');
    requestAnimationFrame(drawNext);
}

player.onchange = showPlayer;
player.ontext = (message) => onText[message.type]?.(message);
byId('play').addEventListener('click', toggle);
byId('controls').addEventListener('submit', (event) => event.preventDefault());
document.addEventListener('keydown', takeKey);
navigator.mediaSession?.setActionHandler('play', () => { if (player.state() === 'paused') toggle(); });
navigator.mediaSession?.setActionHandler('pause', () => player.pause());
setInterval(showFacts, FACTS_EVERY_MS);
setUpVolume();
showPlayer();
loadControls();
requestAnimationFrame(drawNext);

// For tests and the curious.
//   state()  "paused", "starting", "playing" or "buffering"
//   stats()  start_ms: from the click to the first sound that left the audio thread, null before it; underruns, jumps
//            (moves to the live playhead) and skips (crossfades over what the server left out) since the page was
//            opened; bitrate: bit/s of the Opus that comes; buffered_ms; playhead_frame, null while nothing plays,
//            and heard_frame, of what leaves the speakers at this moment; live_frame, of what all should hear;
//            level_rms of what is heard; chunks and reconnects since the page was opened; splices: changes that came
//            where sound was held already, and late_switches: those whose frame was over by then; control_to_ear_ms:
//            from the last own change until it was heard, null before the first; decoder: "webcodecs",
//            "opus-decoder" or "pcm"; trip_ms: round trip to the server of the answer whose clock is believed;
//            drift_ppm: how much faster the server's clock runs than the sound card's
//   askBitrate(bitrate)  asks the server for at most so many bit/s of Opus
//   parameters()  what the station's parameters are, null before they are known
window.auralis = {
    state: () => player.state(),
    stats: () => player.stats(),
    askBitrate: (bitrate) => player.askBitrate(bitrate),
    parameters: () => parameters && { ...parameters },
};
