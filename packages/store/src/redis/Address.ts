/** Where a Redis is, as it may be shown: no user, no password, no query. */
export const shownAddress = (url: string): string => {
  if (!URL.canParse(url)) return "the Redis (its address cannot be read)"
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`
}
