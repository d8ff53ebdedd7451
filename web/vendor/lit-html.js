// To be put here.
