using Microsoft.Playwright;

namespace FewStep.Tests.Studio;

/// <summary>The studio's page in a browser.</summary>
public sealed class StudioPageTests(BrowserWorld world) : IClassFixture<BrowserWorld>
{
    private const string Second = "[data-side=A][data-index='1']";

    [Fact]
    public async Task Dragging_a_sigma_changes_the_images_and_undo_brings_them_back()
    {
        var page = await world.Open();
        string before = await BrowserWorld.Pixels(page), sigma = (await page.GetAttributeAsync(Second, "aria-valuenow"))!;
        var box = (await page.Locator($"{Second} .point").BoundingBoxAsync())!;
        var (x, y) = (box.X + (box.Width / 2), box.Y + (box.Height / 2));
        await page.Mouse.MoveAsync(x, y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(x - 120, y, new() { Steps = 8 });
        await page.Mouse.UpAsync();
        await page.WaitForFunctionAsync("() => document.querySelector('#status').textContent.startsWith('studio/')");
        await BrowserWorld.Shown(page);
        double moved = Number((await page.GetAttributeAsync(Second, "aria-valuenow"))!);
        double next = Number((await page.GetAttributeAsync("[data-side=A][data-index='2']", "aria-valuenow"))!);
        Assert.InRange(moved, next, 0.99 * Number(sigma));
        Assert.NotEqual(before, await BrowserWorld.Pixels(page));
        await page.Keyboard.PressAsync("Control+z");
        await page.WaitForFunctionAsync("() => document.querySelector('#status').textContent.startsWith('karras/')");
        await BrowserWorld.Shown(page);
        Assert.Equal((sigma, before), (await page.GetAttributeAsync(Second, "aria-valuenow"), await BrowserWorld.Pixels(page)));
        await page.ClickAsync("#redo");
        await page.WaitForFunctionAsync("() => document.querySelector('#status').textContent.startsWith('studio/')");
        Assert.Equal(moved, Number((await page.GetAttributeAsync(Second, "aria-valuenow"))!), 9);
        await world.Close(page);
    }

    [Fact]
    public async Task The_keyboard_reaches_and_moves_every_sigma_and_a_screen_reader_is_told()
    {
        var page = await world.Open();
        await page.FocusAsync("[data-side=A][data-index='0']");
        await page.Keyboard.PressAsync("Tab");
        const string Focused = "() => document.activeElement.getAttribute('aria-label')";
        Assert.Equal("Sampler A, sigma 2 of 5", await page.EvaluateAsync<string>(Focused));
        double before = Number((await page.GetAttributeAsync(Second, "aria-valuenow"))!);
        await page.Keyboard.PressAsync("ArrowLeft");
        await page.WaitForFunctionAsync("() => document.querySelector('#status').textContent.startsWith('studio/')");
        Assert.Equal(before / 1.02, Number((await page.GetAttributeAsync(Second, "aria-valuenow"))!), 6);
        Assert.StartsWith("sigma ", await page.GetAttributeAsync(Second, "aria-valuetext"), StringComparison.Ordinal);
        await page.Keyboard.PressAsync("End"); // up to its neighbour and no further
        double above = Number((await page.GetAttributeAsync("[data-side=A][data-index='0']", "aria-valuenow"))!);
        Assert.InRange(Number((await page.GetAttributeAsync(Second, "aria-valuenow"))!), 0.99 * above, 0.9999 * above);
        Assert.Equal("polite", await page.GetAttributeAsync("#status", "aria-live"));
        await world.Close(page);
    }

    [Fact]
    public async Task Two_samplers_are_compared_with_a_divide_and_by_their_difference()
    {
        var page = await world.Open();
        string alone = await BrowserWorld.Pixels(page);
        await page.CheckAsync("#compare");
        await page.WaitForFunctionAsync("() => document.querySelector('#status').textContent.includes('B: karras/euler/4')");
        await BrowserWorld.Shown(page);
        async Task<string> At(int share)
        {
            await page.Locator("#share").FillAsync($"{share}");
            return await BrowserWorld.Pixels(page);
        }

        var (onlyA, half, onlyB) = (await At(100), await At(50), await At(0));
        Assert.Equal(alone, onlyA);
        Assert.Equal(3, new[] { onlyA, half, onlyB }.Distinct().Count());
        await page.CheckAsync("input[value=difference]");
        Assert.DoesNotContain(await BrowserWorld.Pixels(page), new[] { onlyA, onlyB });
        await page.CheckAsync("input[value=pair]");
        Assert.Equal(16, await page.Locator("#images canvas").CountAsync());
        await page.WaitForFunctionAsync("() => document.querySelector('#figures').textContent.includes('B less A')");
        Assert.Contains("±", await page.TextContentAsync("#figures"), StringComparison.Ordinal);
        await world.Close(page);
    }

    [Fact]
    public async Task A_fit_is_started_and_cancelled_and_another_ends_with_a_sampler_to_show()
    {
        var page = await world.Open();
        await page.CheckAsync("text=keep the sigmas of A");
        await page.FillAsync("input[max='10000']", "5000");
        await page.ClickAsync("#start");
        await page.ClickAsync("#cancel");
        await page.WaitForSelectorAsync(".job-state:text-is('Cancelled.')");
        await page.FillAsync("input[max='10000']", "8");
        await page.ClickAsync("#start");
        await page.WaitForSelectorAsync(".job-state:text('Done in')");
        await page.ClickAsync("#job .results button >> nth=0");
        await page.WaitForFunctionAsync("() => /fitted-|euler/.test(document.querySelector('#status').textContent)");
        string file = await page.InputValueAsync("#side-A input[placeholder*='sampler.json']");
        Assert.EndsWith("n4.sampler.json", file, StringComparison.Ordinal);
        await world.Close(page);
    }

    [Fact]
    public async Task It_fits_a_phone_and_axe_finds_nothing_serious_in_light_or_dark()
    {
        var page = await world.Open(390, 844, ColorScheme.Dark);
        await page.CheckAsync("#compare");
        await page.WaitForFunctionAsync("() => document.querySelector('#status').textContent.includes('B: karras/euler/4')");
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            Assert.Equal(390, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
            Assert.Empty(await Browser.SeriousFindings(page));
        }

        await world.Close(page);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
