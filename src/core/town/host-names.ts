/** Host names: when two are one, and which are those of containers. */

/** Host names are compared without case and domain: macOS changes `.local` and `.lan` with the network. */
export const plainHostname = (hostname: string): string =>
  (hostname.toLowerCase().split('.')[0] ?? '').trim();

/** Twelve hexadecimal digits: the host name that Docker and its kin give a container, unlike any other one's. */
export const isContainerId = (hostname: string): boolean => /^[0-9a-f]{12}$/.test(hostname);

/** Two spellings of one host name. */
export const isSameName = (one: string, other: string): boolean =>
  one === other || plainHostname(one) === plainHostname(other);
