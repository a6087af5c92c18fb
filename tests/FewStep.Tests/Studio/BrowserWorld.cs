using Microsoft.Playwright;

namespace FewStep.Tests.Studio;

/// <summary>A studio with a <see cref="Browser"/>.</summary>
public sealed class BrowserWorld : IAsyncLifetime
{
    private readonly Browser _browser = new();

    public StudioWorld Studio { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await _browser.InitializeAsync();
        if (!Browser.IsThere)
            return;
        Studio = new StudioWorld();
        await Studio.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        if (Studio is not null)
            await Studio.DisposeAsync();
    }

    /// <summary>The studio's page with images on it.</summary>
    public async Task<IPage> Open(int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await _browser.Open(Studio?.Address.AbsoluteUri ?? "", width, height, scheme);
        await Shown(page);
        return page;
    }

    /// <summary>Waits until the images are those of what is set.</summary>
    public static Task Shown(IPage page) =>
        page.WaitForFunctionAsync("() => document.querySelector('#images canvas') && !document.querySelector('#images.stale')");

    /// <inheritdoc cref="Browser.Close"/>
    public Task Close(IPage page) => _browser.Close(page);

    /// <summary>All pixels of the images.</summary>
    public static Task<string> Pixels(IPage page)
        => page.EvaluateAsync<string>("() => [...document.querySelectorAll('#images canvas')].map(c => c.toDataURL()).join()");
}
