/** What is published: its size, its types, what it needs. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { transformSync } from 'esbuild';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const source = readFileSync(join(here, 'symbolon.js'), 'utf8');

test('it is smaller than 5 kB, minified and gzipped', () => {
  const { code } = transformSync(source, { minify: true, format: 'esm', target: 'es2022' });
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`minified and gzipped: ${bytes} bytes`);
  assert.ok(bytes < 5_000, `${bytes} bytes`);
});

test('it imports nothing', () => {
  assert.doesNotMatch(source, /^\s*import\b|\bimport\(|\brequire\(/m);
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
});

test('its types are those of its source, and help who uses them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'symbolon-types-'));
  const tsc = (...options) => {
    const compiler = join(
      dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin/tsc',
    );
    execFileSync(process.execPath, [compiler, ...options], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  };
  const check = (code) => {
    writeFileSync(
      join(folder, 'app.ts'),
      `import { createClient, SymbolonError } from './symbolon.js';\n${code}`,
    );
    tsc(
      '--strict',
      '--noEmit',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--lib',
      'es2023,dom',
      '--types',
      '',
      'app.ts',
    );
  };
  try {
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    tsc('--project', here, '--outDir', folder);
    check(`
      const client = createClient({ baseUrl: 'https://auth.example.com', apis: ['https://api.example.com'] });
      const end: () => void = client.onChange(({ state, user, error }) => {
        const email: string | undefined = user?.email;
        const code: string | undefined = error?.code;
        if (state === 'signedIn') console.log(email, code);
      });
      const role: 'user' | 'moderator' | 'admin' = (await client.login({ email: 'a@b.c', password: 'x' })).role;
      const [session] = await client.sessions();
      const agent: string | null | undefined = session?.userAgent;
      const answer: Response = await client.fetch('/x', { method: 'POST' });
      const token: string | null = await client.token();
      try { await client.logout(); } catch (error) { if (error instanceof SymbolonError) console.log(error.retryAfter); }
      end(); client.close(); console.log(role, agent, answer, token);
    `);
    assert.throws(() => check(`createClient({ baseURL: 'https://auth.example.com' });`));
    assert.throws(() => check(`createClient().login({ email: 'a@b.c' });`));
    assert.throws(() => check(`createClient().session.user.email;`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
