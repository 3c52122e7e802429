/** What decides where the files of `doctor init` belong, and what some of them say. */

/** What the parts depend on. */
export interface Surroundings {
  /** Of the town. */
  readonly root: string;
  readonly isRepository: boolean;
  /** Null for a user who has none. */
  readonly home: string | null;
  /** The value of `XDG_CONFIG_HOME` and `XDG_DATA_HOME`, where they are absolute. */
  readonly configHome: string | null;
  readonly dataHome: string | null;
  /** Name of the user's shell. */
  readonly shell: string;
  readonly hasSystemd: boolean;
  /** How to start the doctor from anywhere: Node and the program, or the executable. */
  readonly program: readonly string[];
}
