/**
 * Lines on a terminal, and the keys that come back from it. The home of Ink and React: a module of its own kind in the build,
 * for their layout engine is loaded by a top-level `await`. Loaded by `load-screen.ts` alone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Box, type Instance, render, Text, useInput } from 'ink';
import { createElement } from 'react';
import type { Key } from './keys.ts';

export interface Screen {
  readonly draw: (lines: readonly string[]) => void;
  /** Gives the terminal its settings back. What is drawn stays. */
  readonly close: () => void;
}

interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/** Takes over the keyboard from the first picture on, until it is closed. `onKey` is called once for each key. */
export const openScreen = ({ stdin, stdout }: Streams, onKey: (key: Key) => void): Screen => {
  // One at a time: what a key does, such as asking the next question, is done before the next key counts, however fast keys are typed.
  let handled = Promise.resolve();
  const App = ({ lines }: { readonly lines: readonly string[] }) => {
    useInput((input, pressed) => {
      for (const key of keysOf(input, pressed)) handled = handled.then(nextTurn).then(() => onKey(key));
    });
    return createElement(
      Box,
      { flexDirection: 'column' },
      // An empty text takes no line.
      ...lines.map((line) => createElement(Text, { wrap: 'truncate-end' }, line === '' ? ' ' : line)),
    );
  };
  const element = (lines: readonly string[]) => createElement(App, { lines });
  const options = {
    stdin,
    stdout,
    exitOnCtrlC: false,
    patchConsole: false,
    // What INK_SCREEN_READER would turn on is another view than the one that is drawn here.
    isScreenReaderEnabled: false,
  };
  let app: Instance | null = null;
  return {
    // Opened with the first picture: Ink would leave a line for an empty one.
    draw: (lines) => {
      if (app === null) app = render(element(lines), options);
      else app.rerender(element(lines));
    },
    close: () => {
      app?.unmount();
      app?.cleanup();
    },
  };
};

type Pressed = Parameters<Parameters<typeof useInput>[0]>[1];

const keysOf = (input: string, pressed: Pressed): readonly Key[] => {
  const name = nameOf(input, pressed);
  if (name !== null) return [{ name }];
  if (pressed.ctrl) return [];
  // Several come at once where they are pasted, or typed while nobody reads.
  const typed = [...input].flatMap((character): readonly Key[] =>
    character === '\r' || character === '\n'
      ? [{ name: 'enter' }]
      : character < ' ' || character === '\u007f'
        ? []
        : [{ name: 'character', character }],
  );
  // Alt, or Escape with a key right behind it: terminals do not tell them apart.
  return pressed.meta ? [{ name: 'escape' }, ...typed] : typed;
};

const nameOf = (input: string, pressed: Pressed): Exclude<Key['name'], 'character'> | null => {
  if (pressed.ctrl && input === 'c') return 'interrupt';
  if (pressed.ctrl && input === 'z') return 'suspend';
  if (pressed.upArrow) return 'up';
  if (pressed.downArrow) return 'down';
  if (pressed.leftArrow) return 'left';
  if (pressed.rightArrow) return 'right';
  if (pressed.pageUp) return 'page-up';
  if (pressed.pageDown) return 'page-down';
  if (pressed.tab) return pressed.shift ? 'back-tab' : 'tab';
  if (pressed.return) return 'enter';
  if (pressed.escape) return 'escape';
  return pressed.backspace || pressed.delete ? 'backspace' : null;
};
