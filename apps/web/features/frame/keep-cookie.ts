// Keeps a reader's choice of language or theme for a year. Nothing secret is ever kept this way.
export function keepCookie(name: string, value: string): void {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict`;
}
