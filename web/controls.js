// The controls, made from the server's table of parameters: the table alone says what there is.
import { parseKey, pretty, TONICS, withTonic } from './keys.js';

// A control that has just been touched does not follow the station for this long: its own echo would tug at the thumb.
const HANDS_OFF_MS = 700;

export class Controls {
    #change;
    #controls = new Map();
    #values = {};

    // root: element with a [data-group] slot for each group.   change(parameters): the user wants this.
    constructor(root, parameters, change) {
        this.#change = change;
        for (const parameter of parameters) {
            const make = MAKERS[parameter.kind];
            if (!make) continue;
            const control = make(parameter, (value) => this.#touched(parameter.name, value), () => this.#values);
            control.touchedMs = -Infinity;
            this.#controls.set(parameter.name, control);
            root.querySelector(`[data-group="${groupOf(parameter)}"]`).append(control.element);
        }
    }

    // What the station says its parameters are.
    show(values) {
        this.#values = values;
        for (const name of this.#controls.keys()) this.#sync(name);
    }

    // Back to what the station has, after a refusal.
    revert() {
        for (const control of this.#controls.values()) control.touchedMs = -Infinity;
        this.show(this.#values);
    }

    #touched(name, value) {
        this.#controls.get(name).touchedMs = performance.now();
        setTimeout(() => this.#sync(name), HANDS_OFF_MS + 50);
        this.#change({ [name]: value });
    }

    #sync(name) {
        const control = this.#controls.get(name);
        const untouched = performance.now() - control.touchedMs > HANDS_OFF_MS;
        if (untouched && this.#values[name] !== undefined) control.show(this.#values[name]);
    }
}

const GROUPS = {
    key: 'choices', mode: 'choices', tuning: 'choices', integer: 'sliders', unit: 'sliders', toggle: 'switches',
};

function groupOf(parameter) {
    return parameter.name.startsWith('enable_') ? 'layers' : GROUPS[parameter.kind];
}

const MAKERS = {
    key: makeKey,
    mode: makeChoice,
    tuning: makeChoice,
    integer: (parameter, touched) => makeSlider(parameter, touched, 1, (value) => `${value} ${parameter.unit}`.trim()),
    unit: (parameter, touched) => makeSlider(parameter, touched, 0.01, (value) => `${Math.round(value * 100)} %`),
    toggle: makeToggle,
};

export function element(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
}

// A labelled field with its help as a description.
function field(className, parameter, input, ...more) {
    input.id = `control-${parameter.name}`;
    input.name = parameter.name;
    const help = element('p', { className: 'help', id: `help-${parameter.name}`, textContent: parameter.help });
    input.setAttribute('aria-describedby', help.id);
    const label = element('label', { htmlFor: input.id, textContent: parameter.title });
    return element('div', { className: `field ${className}`, title: parameter.help }, label, ...more, input, help);
}

function makeKey(parameter, touched, values) {
    const given = (parameter.values ?? []).filter((value) => !value.includes(' ') && parseKey(value));
    const tonics = given.length === TONICS.length ? given : TONICS;
    const options = tonics.map((value) => element('option', { value, textContent: pretty(value) }));
    const input = element('select', {}, ...options);
    input.addEventListener('change', () => touched(withTonic(values().key ?? 'A', input.value)));
    const show = (key) => {
        const pitchClass = parseKey(key)?.pitchClass;
        input.value = tonics.find((tonic) => parseKey(tonic).pitchClass === pitchClass) ?? tonics[0];
    };
    return { element: field('choice', parameter, input), input, show };
}

function makeChoice(parameter, touched) {
    const title = (value) => value[0].toUpperCase() + value.slice(1);
    const options = parameter.values.map((value) => element('option', { value, textContent: title(value) }));
    const input = element('select', {}, ...options);
    input.addEventListener('change', () => touched(input.value));
    return { element: field('choice', parameter, input), input, show: (value) => { input.value = value; } };
}

function makeSlider(parameter, touched, step, format) {
    const { min, max } = parameter;
    const input = element('input', { type: 'range', min, max, step, value: parameter.default });
    const output = element('output', { className: 'value' });
    output.setAttribute('for', `control-${parameter.name}`);
    const paint = () => {
        const value = Number(input.value);
        output.textContent = format(value);
        input.setAttribute('aria-valuetext', output.textContent);
        input.style.setProperty('--filled', `${(value - min) / (max - min) * 100}%`);
    };
    input.addEventListener('input', () => { paint(); touched(Number(input.value)); });
    paint();
    const show = (value) => { input.value = value; paint(); };
    return { element: field('slider', parameter, input, output), input, show };
}

function makeToggle(parameter, touched) {
    const input = element('input', { type: 'checkbox', checked: parameter.default === true });
    input.setAttribute('role', 'switch');
    input.addEventListener('change', () => touched(input.checked));
    return { element: field('toggle', parameter, input), input, show: (value) => { input.checked = value; } };
}
