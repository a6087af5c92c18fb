using FewStep.Onnx;

namespace FewStep.Studio.Web;

/// <summary>Writes a sampler with its model as a folder of static files, whose page samples in the browser alone.</summary>
internal static class WebExport
{
    private const string SamplerName = "sampler.onnx", DescriptionName = "sampler.json", RuntimeName = "runtime", Prefix = "FewStep.Web.";

    // The studio's, which the page has too.
    private static readonly string[] Shared = ["report.css", "studio.css", "icon.svg", "elements.js", "images.js", "numbers.js"];

    /// <summary>Writes the folder: whole, or not at all.</summary>
    /// <param name="model">A network, under guidance or not, opened in float32; stays the caller's.</param>
    /// <param name="sampler">The sampler, whose steps the file then holds.</param>
    /// <param name="folder">Target, which must not exist or be empty.</param>
    /// <param name="runtime">ONNX Runtime Web's files, which are copied.</param>
    /// <param name="options">How the graph is written.</param>
    /// <param name="cancellation">Leaves nothing behind.</param>
    /// <exception cref="InvalidInputException">As <see cref="OnnxExport.WriteSampler"/>; or images are no pictures.</exception>
    public static WebExported Write(
        Model model, Sampler sampler, string folder, WebRuntime runtime, OnnxExportOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(runtime);
        if (model.Shape.Channels is not (1 or 3))
        {
            throw new InvalidInputException(
                $"{model.Name} makes images of {model.Shape.Channels} channels, and a page shows 1 or 3; export it with --to onnx.");
        }

        OnnxExported? graph = null;
        var (page, all) = (0L, 0L);
        AtomicFolder.Write(folder, place =>
        {
            string file = Path.Combine(place, SamplerName);
            graph = OnnxExport.WriteSampler(model, sampler, file, options);
            cancellation.ThrowIfCancellationRequested();
            var description = Describe(OnnxMetadata.Of(file)!, sampler, graph.Bytes, runtime);
            JsonFile.Write(Path.Combine(place, DescriptionName), description);
            foreach (var (name, content) in Page())
            {
                AtomicFile.Write(Path.Combine(place, name), stream => stream.Write(content));
                page += content.Length;
            }

            runtime.CopyTo(Path.Combine(place, RuntimeName), cancellation);
            all = new DirectoryInfo(place).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);
        });
        return new WebExported(graph!, page, all);
    }

    private static IEnumerable<(string Name, byte[] Content)> Page()
    {
        foreach (string name in Shared)
            yield return (name, PageFiles.Find(name)!.Value.Content);
        foreach (var (name, content) in PageFiles.Embedded(Prefix))
            yield return (name, content);
    }

    private static object Describe(OnnxMetadata metadata, Sampler sampler, long bytes, WebRuntime runtime) => new
    {
        metadata.Model,
        Sampler = sampler.ToString(),
        metadata.Steps,
        metadata.Evaluations,
        metadata.Shape.Channels,
        metadata.Shape.Height,
        metadata.Shape.Width,
        metadata.Classes,
        metadata.ClassNames,
        metadata.KnowsNoClass,
        metadata.WeightsType,
        metadata.License,
        metadata.Version,
        RuntimeVersion = runtime.Found,
        Bytes = new { Sampler = bytes, Wasm = runtime.Bytes(WebRuntime.Wasm), Webgpu = runtime.Bytes(WebRuntime.WebGpu) },
    };
}
