/**
 * Whether the same request may succeed later, by the status of its answer: the server was slow, too early, too busy or
 * broken (RFC 9110, 15.5.9 and 15.6; RFC 8470, 5.2; RFC 6585, 4).
 */
export const isPassing = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500
