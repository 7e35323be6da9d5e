/** Elements of the page: found by their ids, or made. */
export function element<T extends HTMLElement>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/** A new element with these properties and this content. */
export function made<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const one = Object.assign(document.createElement(tag), properties);
  one.append(...content);
  return one;
}

const status = element("status", HTMLParagraphElement);
const alarm = element("alarm", HTMLDivElement);

/** Say what happens, to eyes and to screen readers; what was wrong before is over. */
export function say(text: string): void {
  status.textContent = text;
  alarm.replaceChildren();
}

/** What can be done about something, as a button. */
export interface Remedy {
  readonly label: string;
  readonly act: () => void;
}

/** Say what went wrong, and offer what can be done. */
export function warn(text: string, ...remedies: Remedy[]): void {
  alarm.replaceChildren(
    made("p", { textContent: text }),
    ...remedies.map(({ label, act }) => {
      const button = made("button", { type: "button", textContent: label });
      button.addEventListener("click", () => {
        alarm.replaceChildren();
        act();
      });
      return button;
    }),
  );
}

/** Give a file to the visitor. */
export function download(file: Blob, name: string): void {
  const link = made("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
