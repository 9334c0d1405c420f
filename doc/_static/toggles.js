// The theme's toggles of the sidebar have no name for those who cannot see their arrow.
for (const summary of document.querySelectorAll("li.has-children > details > summary")) {
  const section = summary.closest("li").querySelector("a").textContent.trim();
  summary.setAttribute("aria-label", `Pages of ${section}`);
}
