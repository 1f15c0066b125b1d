/** For `ref`: what scrolls can be scrolled with the keyboard, and what does not is no stop on the way. */
export function focusableWhenScrolling(element: HTMLElement | null): (() => void) | undefined {
  if (!element) return undefined;
  const update = (): void => {
    const scrolls =
      element.scrollHeight > element.clientHeight + 1 ||
      element.scrollWidth > element.clientWidth + 1;
    if (scrolls) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver(update);
  observer.observe(element);
  update();
  return () => observer.disconnect();
}
