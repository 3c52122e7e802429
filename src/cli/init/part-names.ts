/** What `doctor init` can write, by name; apart from what stands in it, so that the option table need not load that. */
export const INIT_PARTS = ['config', 'gitignore', 'hook', 'completion', 'timer'] as const;
export type PartName = (typeof INIT_PARTS)[number];
