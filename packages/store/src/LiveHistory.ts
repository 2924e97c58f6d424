/** How many live events of a run are kept, about: what a listener who comes late is told. */
export const KEPT_EVENTS = 1000
