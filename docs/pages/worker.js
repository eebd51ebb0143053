// Search runs in a worker, and a page opened from disk may start none: there, a hidden frame does a worker's work.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(address) {
      super()
      const waiting = []
      const frame = document.body.appendChild(document.createElement("iframe"))
      frame.hidden = true
      const inside = frame.contentWindow
      inside.document.open()
      inside.document.write("<!doctype html><body>")
      inside.document.close()
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      inside.importScripts = (...scripts) => Promise.all(scripts.map(each => add(each)))
      const add = source => new Promise((done, failed) => {
        const script = inside.document.createElement("script")
        Object.assign(script, { src: source, onload: done, onerror: failed })
        inside.document.body.append(script)
      })
      this.postMessage = data => waiting.push(data)
      add(new URL(address, document.baseURI).href).then(() => {
        this.postMessage = data => inside.dispatchEvent(new MessageEvent("message", { data }))
        waiting.forEach(this.postMessage)
      })
    }
    terminate() {}
  }
  window.Worker = window.IFrameWorker
}
