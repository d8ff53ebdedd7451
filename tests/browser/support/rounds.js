/** Whether the long rounds are asked for (`scripts/test --all`). */
export const isLong = process.env.SYMBOLON_TEST_ROUNDS === 'long';
