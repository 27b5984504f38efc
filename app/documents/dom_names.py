"""Names that an element's `id` or `name` must not take from scripts (DOM clobbering)."""

# Properties of window, document, elements and forms, as the HTML and DOM standards name them, that a named element
# could shadow or that scripts commonly read without asking whether they are an element.
_PROPERTIES = """
__proto__ constructor hasOwnProperty isPrototypeOf propertyIsEnumerable prototype toLocaleString toString valueOf

addEventListener alert atob blur btoa caches cancelAnimationFrame cancelIdleCallback clearInterval clearTimeout
clientInformation close closed confirm console cookieStore createImageBitmap credentialless crossOriginIsolated crypto
customElements customelements devicePixelRatio dispatchEvent document event external fence fetch find focus
frameElement frames
getComputedStyle getSelection globalThis globalthis history indexedDB innerHeight innerWidth isSecureContext launchQueue
length localStorage localstorage location locationbar matchMedia menubar moveBy moveTo name navigation navigator open
opener origin outerHeight outerWidth pageXOffset pageYOffset parent performance personalbar postMessage print prompt
queueMicrotask removeEventListener reportError requestAnimationFrame requestIdleCallback resizeBy resizeTo scheduler
screen screenLeft screenTop screenX screenY scroll scrollBy scrollTo scrollX scrollY scrollbars self sessionStorage
sessionstorage setInterval setTimeout speechSynthesis status statusbar stop structuredClone styleMedia toolbar top
trustedTypes visualViewport window

URL activeElement adoptNode adoptedStyleSheets alinkColor all anchors append applets baseURI bgColor body captureEvents
caretPositionFromPoint characterSet charset childElementCount childNodes children clear cloneNode compareDocumentPosition
compatMode contains contentType cookie createAttribute createComment createDocumentFragment createElement createElementNS
createEvent createExpression createNodeIterator createRange createTextNode createTreeWalker currentScript defaultView
designMode dir doctype documentElement documentURI domain elementFromPoint elementsFromPoint embeds evaluate execCommand
exitFullscreen exitPictureInPicture exitPointerLock featurePolicy fgColor firstChild firstElementChild fonts forms
fragmentDirective fullscreen fullscreenElement fullscreenEnabled getAnimations getElementById getElementsByClassName
getElementsByName getElementsByTagName getRootNode hasChildNodes hasFocus hasStorageAccess head hidden images
implementation importNode inputEncoding insertBefore isConnected isDefaultNamespace isEqualNode isSameNode lastChild
lastElementChild lastModified linkColor links lookupNamespaceURI lookupPrefix nextSibling nodeName nodeType nodeValue
normalize ownerDocument parentElement parentNode pictureInPictureElement plugins pointerLockElement prepend
previousSibling queryCommandEnabled queryCommandState queryCommandSupported queryCommandValue querySelector
querySelectorAll readyState referrer releaseEvents removeChild replaceChild replaceChildren requestStorageAccess
rootElement scripts scrollingElement startViewTransition styleSheets textContent timeline title visibilityState
vlinkColor wasDiscarded write writeln xmlEncoding xmlStandalone xmlVersion

accept acceptCharset accessKey action animate after ariaLabel assignedSlot attachShadow attributeStyleMap attributes
autocapitalize autocomplete autofocus before before checkValidity checkVisibility checked className classList click
clientHeight clientLeft clientTop clientWidth closest contentEditable dataset defaultValue disabled draggable elements
encoding enctype enterKeyHint form formAction getAttribute getAttributeNames getAttributeNode getBoundingClientRect
getClientRects hasAttribute hasAttributes hidePopover href id inert innerHTML innerText innerhtml inputMode
insertAdjacentElement insertAdjacentHTML insertAdjacentText item keys labels lang localName matches method namedItem
namespaceURI nonce noValidate offsetHeight offsetLeft offsetParent offsetTop offsetWidth outerHTML outerText part
popover prefix rel relList remove removeAttribute replaceWith reportValidity requestFullscreen requestSubmit reset role
scrollHeight scrollIntoView scrollLeft scrollTop scrollWidth select setAttribute shadowRoot showPopover slot spellcheck
src style submit tabIndex tagName target text toggleAttribute translate type validity value values
"""
RESERVED = frozenset(_PROPERTIES.split())
PREFIX = "user-content-"


def unclobbering(name: str) -> str:
    """A name for an element that is no property of the DOM; applying it twice changes nothing more."""
    return PREFIX + name if name in RESERVED else name
