import { html, nothing } from '../vendor/lit-html.js';
import { count, ofFailure } from '../words.js';

/**
 * A list that comes page by page.
 *
 * @template T
 */
export class Pages {
  /** @type {T[] | undefined} */
  rows;
  isBusy = false;
  failure = '';
  /** @type {string | undefined} */
  #cursor;
  /** Counts what was asked for, so that a late answer is known for one. */
  #asked = 0;

  /**
   * @param {() => void} update Shows the view as it is now.
   * @param {(cursor?: string) => Promise<import('./api.js').Page<T>>} read
   */
  constructor(update, read) {
    this.update = update;
    this.read = read;
  }

  /** Reads the list from its beginning. */
  first = () => this.#load(undefined);

  /** Reads on. */
  more = async () => {
    if (this.isBusy) return;
    await this.#load(this.#cursor);
    // The button that was pressed is gone.
    if (!this.#cursor && !this.failure) /** @type {HTMLElement | null} */ (document.querySelector('.count'))?.focus();
  };

  /** @param {string | undefined} cursor */
  async #load(cursor) {
    const asked = ++this.#asked;
    this.isBusy = true;
    this.failure = '';
    this.update();
    try {
      const { rows, nextCursor } = await this.read(cursor);
      if (asked !== this.#asked) return;
      this.rows = cursor ? [...(this.rows ?? []), ...rows] : rows;
      this.#cursor = nextCursor;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.failure = ofFailure(error);
    }
    this.isBusy = false;
    this.update();
  }

  /**
   * The list, and what leads on.
   *
   * @param {(rows: T[]) => unknown} table
   * @param {string} thing What there is many of, as in `user`.
   */
  template(table, thing) {
    const rows = this.rows;
    const again = rows && rows.length > 0 ? this.more : this.first;
    return html`
      <div class="stack" aria-busy=${this.isBusy}>
        ${rows && rows.length > 0 ? table(rows) : nothing}
        <div role="alert">${this.failure ? html`<p class="notice bad">${this.failure}</p>` : nothing}</div>
        <p class="count quiet" role="status" tabindex="-1">${this.#count(thing)}</p>
        ${this.failure ? html`<button @click=${again}>Try again</button>` : nothing}
        ${this.#cursor && !this.failure ? html`<button @click=${this.more}>Show more</button>` : nothing}
      </div>
    `;
  }

  /** @param {string} thing */
  #count(thing) {
    if (!this.rows) return this.failure ? '' : 'One moment…';
    if (this.rows.length === 0) return `No ${thing}s.`;
    const things = count(this.rows.length, thing);
    return this.#cursor ? `The newest ${things}; there are more.` : `${things}.`;
  }
}
