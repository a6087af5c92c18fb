using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace FewStep.Tests.Studio;

/// <summary>The system's Chromium; without one the tests are skipped and say so. FEWSTEP_BROWSER names another.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Variable = "FEWSTEP_BROWSER";
    private readonly List<string> _faults = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Whether there is one.</summary>
    public static bool IsThere => Find() is not null;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } program)
            return;
        _playwright = await Playwright.CreateAsync();
        // As root, in a container, Chromium's own sandbox does not start; what it shows here is our pages alone.
        string[] arguments = OperatingSystem.IsLinux() && Environment.UserName == "root" ? ["--no-sandbox"] : [];
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = arguments });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is null)
            return;
        await _browser.DisposeAsync();
        _playwright!.Dispose();
    }

    /// <summary>Opens a page, or skips the test.</summary>
    public async Task<IPage> Open(
        string address, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        if (_browser is null)
        {
            Assert.Skip($"There is no Chromium: install chromium or google-chrome, or name one by the environment variable {Variable}. "
                + "The page was not tested in a browser.");
        }

        var size = new ViewportSize { Width = width, Height = height };
        var context = await _browser.NewContextAsync(new() { ViewportSize = size, ColorScheme = scheme });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(15_000);
        page.PageError += (_, fault) => _faults.Add(fault);
        await page.GotoAsync(address);
        return page;
    }

    /// <summary>Closes the page, whose scripts must have made no mistake.</summary>
    public async Task Close(IPage page)
    {
        await page.Context.CloseAsync();
        Assert.Empty(_faults);
    }

    /// <summary>Findings of axe that are serious.</summary>
    public static async Task<IEnumerable<string>> SeriousFindings(IPage page)
    {
        var result = await page.RunAxe();
        return result.Violations.Where(v => v.Impact is "serious" or "critical")
            .Select(v => $"{v.Id}: {v.Help}: {string.Join(" | ", v.Nodes.Select(n => n.Html))}");
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return named;
        string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
