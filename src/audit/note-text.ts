/**
 * C2SP signed-note: "MUST NOT contain any ASCII control characters (those below U+0020) other than newline."
 */
export function isNoteText(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 && unit !== 0x0a) return false;
  }
  return true;
}

/** "MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B) characters." */
export function isKeyName(name: string): boolean {
  return isNoteText(name) && /^[^\p{White_Space}+]+$/u.test(name);
}
