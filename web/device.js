/** Devices by their `User-Agent`, as the mails of the service call them. */

/**
 * Browsers, the telling word first where several are in one text: all call themselves Mozilla, most
 * Safari, many Chrome.
 */
const PROGRAMS = [
  ['Edg', 'Edge'],
  ['OPR/', 'Opera'],
  ['SamsungBrowser', 'Samsung Internet'],
  ['Firefox/', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['CriOS', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
  ['okhttp', 'An Android app'],
  ['CFNetwork', 'An app'],
  ['curl/', 'curl'],
];

const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['Macintosh', 'macOS'],
  ['Darwin', 'an Apple device'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
];

/**
 * Names a device, as "Firefox on Linux".
 *
 * @param {string | null} userAgent
 */
export function nameOfDevice(userAgent) {
  /** @param {string[][]} table */
  const find = (table) => table.find(([mark = '']) => userAgent?.includes(mark))?.[1];
  const [program, system] = [find(PROGRAMS), find(SYSTEMS)];
  if (!program) return system ? `A program on ${system}` : 'An unknown device';
  return system ? `${program} on ${system}` : program;
}
