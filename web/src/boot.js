// Starts the engine's thread before the rest of the page is read, whose reading takes as long.
window.engineThread = new Worker(URL.createObjectURL(new Blob([document.getElementById("worker").textContent], {type: "text/javascript"})));
