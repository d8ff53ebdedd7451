import type { createClient, Session, SymbolonError } from '@symbolon/client';

declare global {
  /** What the app of these tests puts there. */
  interface Window {
    client: ReturnType<typeof createClient>;
    SymbolonError: typeof SymbolonError;
    seen: { state: Session['state']; email?: string; code?: string }[];
  }
}
