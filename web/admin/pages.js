import { html, nothing } from '../vendor/lit-html.js';
import { count, ofFailure } from '../words.js';

/**
 * A list that comes page by page. It begins with nothing, `rows` being undefined; the first page makes it a
 * list, each further one makes it longer. At any time a page can be on its way (`isBusy`), or the last one asked
 * for has failed (`failure`), and then it is that one that is tried again; what is there stays meanwhile. To
 * read the list from its beginning is to begin with nothing again, so rows are never those of another search.
 *
 * @template T
 */
export class Pages {
  /** @type {T[] | undefined} */
  rows;
  isBusy = false;
  failure = '';
  /** @type {string | undefined} Where the next page begins, if there is one. */
  #next;
  /** @type {string | undefined} Where the page begins that was asked for last. */
  #wanted;
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
  first = () => {
    this.rows = undefined;
    this.#next = undefined;
    return this.#load(undefined);
  };

  /** Reads on. */
  more = () => this.#press(this.#next);

  /** Asks again for what has failed. */
  again = () => this.#press(this.#wanted);

  /** @param {string | undefined} cursor */
  async #press(cursor) {
    if (this.isBusy) return;
    await this.#load(cursor);
    const isButtonGone = document.activeElement === document.body;
    if (isButtonGone) /** @type {HTMLElement | null} */ (document.querySelector('.count'))?.focus();
  }

  /** @param {string | undefined} cursor */
  async #load(cursor) {
    const asked = ++this.#asked;
    this.#wanted = cursor;
    this.isBusy = true;
    this.failure = '';
    this.update();
    try {
      const { rows, nextCursor } = await this.read(cursor);
      if (asked !== this.#asked) return;
      this.rows = cursor ? [...(this.rows ?? []), ...rows] : rows;
      this.#next = nextCursor;
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
    return html`
      <div class="stack" aria-busy=${this.isBusy}>
        ${rows && rows.length > 0 ? table(rows) : nothing}
        <div role="alert">${this.failure ? html`<p class="notice bad">${this.failure}</p>` : nothing}</div>
        <p class="count quiet" role="status" tabindex="-1">${this.#count(thing)}</p>
        ${this.#button()}
      </div>
    `;
  }

  #button() {
    const [press, words] = this.failure ? [this.again, 'Try again'] : [this.more, 'Show more'];
    if (!this.failure && !this.#next) return nothing;
    return html`<button aria-disabled=${this.isBusy} @click=${press}>${words}</button>`;
  }

  /** @param {string} thing */
  #count(thing) {
    if (!this.rows) return this.failure ? '' : 'One moment…';
    if (this.rows.length === 0) return `No ${thing}s.`;
    const things = count(this.rows.length, thing);
    return this.#next ? `The newest ${things}; there are more.` : `${things}.`;
  }
}
