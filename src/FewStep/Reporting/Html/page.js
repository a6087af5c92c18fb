(function () {
  'use strict';
  var dialog = document.getElementById('enlarged'), shown = -1;

  function add(parent, name, text) {
    var element = document.createElement(name);
    element.textContent = text;
    return parent.appendChild(element);
  }

  function show(column) {
    var tiles = document.querySelectorAll('.strip [data-column="' + column + '"]');
    if (tiles.length === 0) { return; }
    shown = column;
    dialog.textContent = '';
    add(dialog, 'p', tiles[0].title);
    tiles.forEach(function (tile) {
      var figure = add(dialog, 'figure', '');
      figure.className = tile.parentNode.className;
      figure.appendChild(tile.firstElementChild.cloneNode(true));
      add(figure, 'figcaption', tile.closest('.strip').getAttribute('data-label'));
    });
    if (!dialog.open) { dialog.showModal(); }
  }

  function copy(button) {
    getSelection().selectAllChildren(button.closest('.code').querySelector('code'));
    button.textContent = document.execCommand('copy') ? 'Copied' : 'Selected';
  }

  document.addEventListener('click', function (e) {
    var tile = e.target.closest('[data-column]'), button = e.target.closest('.copy');
    if (tile) { show(Number(tile.getAttribute('data-column'))); }
    else if (button) { copy(button); }
    else if (e.target.closest('dialog')) { dialog.close(); }
  });
  document.addEventListener('keydown', function (e) {
    var by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (dialog.open) { if (by) { show(shown + by); e.preventDefault(); } }
  });
})();
