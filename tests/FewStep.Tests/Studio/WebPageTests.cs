using FewStep.Cli;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Sampling;
using FewStep.Tests.Cli;
using Microsoft.Playwright;

namespace FewStep.Tests.Studio;

/// <summary>The page of an exported sampler in a browser.</summary>
public sealed class WebPageTests(Browser browser, TinyWorld world) : IClassFixture<Browser>, IClassFixture<TinyWorld>
{
    private const string Named = "karras/ipndm:3/4";
    private const int Patience = 120_000;

    [Fact]
    public async Task Its_latents_are_those_of_the_command_line()
    {
        using var server = new StaticServer(await Export("latents", world.Model, WebRuntimeFiles.WriteLike(world.At("like"))));
        var page = await browser.Open(server.Address.AbsoluteUri);
        await page.WaitForSelectorAsync("#sample:enabled");
        long[] seeds = [0, 1, 63, Latents.MaximumSeed];
        foreach (int count in new[] { 1, 2, 15, 16, 17, 31, 784 })
        {
            double[] drawn = await page.EvaluateAsync<double[]>(
                "async ([seeds, count]) => [...(await import('./noise.js')).drawLatents(seeds, count)]", new object[] { seeds, count });
            using var theirs = Latents.Draw(seeds, new ImageShape(1, 1, count));
            float[] expected = theirs.data<float>().ToArray();
            Assert.InRange(drawn.Zip(expected, (a, b) => Math.Abs(a - b) / Math.Max(1, Math.Abs(b))).Max(), 0, 4e-6);
        }

        await browser.Close(page);
    }

    [Fact]
    public async Task What_is_missing_beside_the_page_is_said()
    {
        string folder = await Export("missing", world.Model, WebRuntimeFiles.WriteLike(world.At("like-3")));
        using var server = new StaticServer(folder);
        var page = await browser.Open(server.Address.AbsoluteUri);
        File.Delete(Path.Combine(folder, "sampler.onnx"));
        await page.ClickAsync("#sample");
        await page.WaitForSelectorAsync("#error:text-is('sampler.onnx was not found beside the page (404).')");
        Assert.True(await page.IsEnabledAsync("#sample"));
        await browser.Close(page);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_embedded_models_images_are_those_of_the_library_to_one_grey_level(bool isolated)
    {
        string runtime = WebRuntimeFiles.Folder();
        using var server = new StaticServer(await Export($"embedded-{isolated}", EmbeddedDefault.Model, runtime), isolated);
        var page = await Sampled(server, 4);
        Assert.Contains(isolated ? "threads" : "1 thread.", await page.TextContentAsync("#status"), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Asked, name => name.Contains("webgpu", StringComparison.Ordinal)); // one runtime is loaded
        using var model = Model.Open(EmbeddedDefault.Model, new ModelOptions { ComputeType = ScalarType.Float32 });
        using var samples = model.Sample(4, model.CreateSampler("karras", "ipndm:3", 4));
        Same(samples, await Pixels(page));
        await browser.Close(page);
    }

    [Fact]
    public async Task Classes_colours_seeds_stopping_and_saving_do_as_they_say()
    {
        string runtime = WebRuntimeFiles.Folder(), colours = TinyWorld.WriteModel(world.At("colours"), 3, channels: 3);
        using var server = new StaticServer(await Export("tiny", colours, runtime));
        var page = await Sampled(server, 3);
        await page.FillAsync("#seed", "4294967290");
        await page.SelectOptionAsync("#label", "wide bars");
        await Sample(page);
        using var model = Model.Open(colours, new ModelOptions { ComputeType = ScalarType.Float32 });
        using var samples = model.Sample(SeedList.Parse("4294967290-4294967292"), model.CreateSampler("karras", "ipndm:3", 4),
            new SampleOptions { Label = 2 });
        Same(samples, await Pixels(page, 3));
        Assert.Equal("Image of seed 4294967290, wide bars", await page.GetAttributeAsync("#images canvas >> nth=0", "aria-label"));
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("#save"));
        Assert.Equal("seeds-4294967290-4294967292.png", download.SuggestedFilename);
        byte[] start = File.ReadAllBytes((await download.PathAsync())!)[..4];
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], start);

        await page.FillAsync("#count", "10");
        await page.ClickAsync("#sample");
        await page.WaitForSelectorAsync("#error:has-text('4294967299')");
        await page.FillAsync("#seed", "0");
        await page.FillAsync("#count", "256");
        await page.ClickAsync("#sample");
        await page.ClickAsync("#stop");
        Assert.StartsWith("Stopped", await page.TextContentAsync("#status"), StringComparison.Ordinal);
        await page.FillAsync("#count", "2");
        await Sample(page); // it goes on after that
        Assert.Equal(2, await page.Locator("#images canvas").CountAsync());
        await browser.Close(page);
    }

    [Fact]
    public async Task It_fits_a_phone_and_axe_finds_nothing_serious_in_light_or_dark()
    {
        using var server = new StaticServer(await Export("phone", world.Model, WebRuntimeFiles.Folder()));
        var page = await Sampled(server, 16, 390, 844);
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            Assert.Equal(390, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
            Assert.Empty(await Browser.SeriousFindings(page));
        }

        await browser.Close(page);
    }

    [Fact]
    public async Task Opened_as_a_file_it_says_what_it_needs()
    {
        string folder = await Export("file", world.Model, WebRuntimeFiles.WriteLike(world.At("like-2")));
        var page = await browser.Open(new Uri(Path.GetFullPath(Path.Combine(folder, "index.html"))).AbsoluteUri);
        await page.WaitForSelectorAsync("#unserved:visible");
        Assert.Contains("needs a web server", await page.InnerTextAsync("body"), StringComparison.Ordinal);
        Assert.False(await page.IsVisibleAsync("#page"));
        await browser.Close(page);
    }

    private async Task<string> Export(string name, string model, string runtime)
    {
        if (!Browser.IsThere)
            return ""; // opening the page skips the test
        string folder = world.At(name);
        await CommandLineRun.Json("export", "--to", "web", "--model", model, "--sampler", Named, "--runtime", runtime, "--output", folder);
        return folder;
    }

    private async Task<IPage> Sampled(StaticServer server, int images, int width = 1280, int height = 900)
    {
        var page = await browser.Open(server.Address.AbsoluteUri, width, height);
        await page.WaitForSelectorAsync("#sample:enabled");
        await page.FillAsync("#count", $"{images}");
        await Sample(page);
        return page;
    }

    private static async Task Sample(IPage page)
    {
        await page.ClickAsync("#sample");
        await page.WaitForSelectorAsync("#sample:enabled", new() { Timeout = Patience });
        Assert.False(await page.IsVisibleAsync("#error"), await page.TextContentAsync("#error"));
    }

    // Of every image one channel after the other.
    private static Task<int[]> Pixels(IPage page, int channels = 1) => page.EvaluateAsync<int[]>(
        """
        channels => [...document.querySelectorAll('#images canvas')].flatMap(canvas => {
          const data = [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
          return Array.from({ length: channels }, (_, channel) => data.filter((_, i) => i % 4 === channel)).flat();
        })
        """, channels);

    private static void Same(Samples samples, int[] pixels)
    {
        using var scope = NewDisposeScope();
        float[] expected = PixelScale.Levels(samples.Images).data<float>().ToArray();
        Assert.Equal(expected.Length, pixels.Length);
        Assert.InRange(expected.Zip(pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        Assert.True(pixels.Distinct().Count() > 10, "The images are blank.");
    }
}
