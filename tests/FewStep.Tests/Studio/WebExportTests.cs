using System.Text.RegularExpressions;
using FewStep.Onnx;
using FewStep.Studio.Web;
using FewStep.Tests.Cli;

namespace FewStep.Tests.Studio;

/// <summary>What <c>export --to web</c> writes, without a browser.</summary>
public sealed partial class WebExportTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private const int MostPageBytes = 200_000;
    private string[] Words => ["export", "--to", "web", "--model", world.Model, "--sampler", "karras/ipndm:3/4"];

    [Fact]
    public async Task The_folder_has_the_sampler_what_the_page_must_know_and_all_that_it_refers_to()
    {
        string runtime = WebRuntimeFiles.WriteLike(world.At("runtime")), folder = world.At("demo");
        var written = await CommandLineRun.Json([.. Words, "--license", "CC0-1.0", "--runtime", runtime, "--output", folder]);
        Assert.Equal(("karras/ipndm:3/4", 4), (written.GetProperty("sampler").GetString(), written.GetProperty("evaluations").GetInt32()));
        string[] files = [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)];
        Assert.Equal(files.Sum(f => new FileInfo(f).Length), written.GetProperty("bytes").GetInt64());
        Assert.InRange(written.GetProperty("page_bytes").GetInt64(), 1, MostPageBytes);
        var copied = Directory.GetFiles(Path.Combine(folder, "runtime")).Select(f => Path.GetFileName(f)!);
        Assert.Equal(WebRuntime.Wasm.Concat(WebRuntime.WebGpu).Order(), copied.Order());
        using (var sampler = OnnxSampler.TryOpen(Path.Combine(folder, "sampler.onnx")))
            Assert.Equal("karras/ipndm:3/4", sampler!.Sampler.ToString());

        using var about = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "sampler.json")));
        var said = about.RootElement;
        Assert.Equal(("tiny", "CC0-1.0", 4, 8), (said.GetProperty("model").GetString(), said.GetProperty("license").GetString(),
            said.GetProperty("classes").GetInt32(), said.GetProperty("width").GetInt32()));
        Assert.Equal("wide bars", said.GetProperty("class_names")[2].GetString());

        string[] pages = [.. files.Where(f => Path.GetExtension(f) is ".html" or ".js" or ".css")];
        string[] named = [.. pages.SelectMany(f => Reference().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value).Distinct()];
        Assert.Contains("./noise.js", named);
        Assert.Contains("./runtime/ort.webgpu.min.mjs", named);
        Assert.All(named, name => Assert.True(File.Exists(Path.Combine(folder, name)), name));
        Assert.DoesNotContain(pages, f => Regex.IsMatch(File.ReadAllText(f).Replace("http://www.w3.org/2000/svg", ""), "https?://"));
    }

    [Theory]
    [InlineData("--output folder", "--runtime", "RUNTIME")]
    [InlineData("which this program does not carry: get it by 'npm pack onnxruntime-web@1.30.0'", "--output", "NEW")]
    [InlineData("has no ort.wasm.min.mjs", "--output", "NEW", "--runtime", "EMPTY")]
    [InlineData("1.29.0", "--output", "NEW", "--runtime", "OLD")]
    [InlineData("is no WebAssembly", "--output", "NEW", "--runtime", "DAMAGED")]
    [InlineData("is there already", "--output", "TAKEN", "--runtime", "RUNTIME")]
    [InlineData("--digits does nothing", "--output", "NEW", "--runtime", "RUNTIME", "--digits", "3")]
    public async Task What_makes_no_sense_is_refused_and_leaves_nothing(string fragment, params string[] words)
    {
        string root = world.At(Guid.NewGuid().ToString("N"));
        string At(string name) => Path.Combine(root, name);
        WebRuntimeFiles.WriteLike(At("RUNTIME"));
        WebRuntimeFiles.WriteLike(At("OLD"), "1.29.0");
        File.WriteAllText(Path.Combine(WebRuntimeFiles.WriteLike(At("DAMAGED")), WebRuntime.Wasm[2]), "<html>");
        Directory.CreateDirectory(At("EMPTY"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(At("TAKEN")).FullName, "index.html"), "mine");
        string[] before = Directory.GetFileSystemEntries(root, "*", SearchOption.AllDirectories);
        await CommandLineRun.Refused(fragment, [.. Words, .. words.Select(w => w.All(char.IsAsciiLetterUpper) ? At(w) : w)]);
        Assert.Equal(before, Directory.GetFileSystemEntries(root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task It_needs_a_sampler_and_nothing_else_takes_its_files()
    {
        string runtime = WebRuntimeFiles.WriteLike(world.At("runtime-2"));
        string[] place = ["--runtime", runtime, "--output", world.At("none")];
        await CommandLineRun.Refused("needs a sampler: --sampler", ["export", "--to", "web", "--model", world.Model, .. place]);
        await CommandLineRun.Refused(
            "thresholding=false", ["export", "--to", "web", "--model", world.Model, "--sampler", "karras/dpmpp:3/4", .. place]);
        await CommandLineRun.Refused("--runtime does nothing", "export", "--to", "onnx", "--model", world.Model, "--runtime", runtime,
            "--output", world.At("none.onnx"));
        Assert.Empty(Directory.GetFileSystemEntries(world.At("."), "none*"));
    }

    [GeneratedRegex("""(?:(?:src|href)="|from '|(?:wasm|webgpu): '|new Worker\(')([./\w-]+\.\w+)""")]
    private static partial Regex Reference();
}
