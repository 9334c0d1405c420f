// An animation can be stopped, and waits for those who ask their system for less motion.
const waits = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function firstFrameOf(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL();
}

function addButton(image) {
  const [moving, first] = [image.src, firstFrameOf(image)];
  const button = document.createElement("button");
  const show = (moves) => {
    image.src = moves ? moving : first;
    button.textContent = moves ? "Stop" : "Play";
  };
  button.className = "animation-button";
  button.addEventListener("click", () => show(image.src === first));
  image.removeAttribute("srcset"); // which would go before the source
  (image.closest("a") ?? image).after(button);
  show(!waits);
}

for (const image of document.querySelectorAll('.bd-article img[src$=".gif"]')) {
  image.loading = "eager";
  image.decode().then(() => addButton(image));
}
