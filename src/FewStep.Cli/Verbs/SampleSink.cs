using System.Text.Json;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>Where sampled images go: a folder, a grid, a NumPy file, or several; each file whole or not at all, the manifest
/// last.</summary>
internal sealed class SampleSink : IDisposable
{
    /// <summary>The file that says whose images are being made, until the manifest does.</summary>
    private const string BegunName = "sampling.json";

    private const int MaximumGrid = 4096;
    private const int LargestScale = 64, UsualSide = 64;
    private const long LargestSide = 32768;
    private readonly string? _folder;
    private readonly string? _grid;
    private readonly string? _raw;
    private readonly GridLayout _layout;
    private readonly SampleSource _source;
    private readonly List<torch.Tensor> _images = [];
    private readonly List<torch.Tensor> _samples = [];
    private readonly List<long> _seeds = [];
    private readonly List<(string Image, string Caption)> _captions = [];
    private readonly List<torch.Tensor> _labels = [];
    private readonly IReadOnlyList<long> _own;
    private readonly long? _label;
    private readonly string _identity;
    private bool _begun;

    /// <param name="source">What makes the images; not disposed.</param>
    /// <param name="identity">Hash of all that makes an image of a seed: the folder's own images of another are refused.</param>
    public SampleSink(
        SampleSource source, IReadOnlyList<long> seeds, long? label, string? folder, string? grid, GridLayout layout, string? raw,
        string identity)
    {
        var shape = source.Shape;
        (_source, _own, _label, _identity) = (source, seeds, label, identity);
        if (layout.Upscale is < 0 or > LargestScale)
            throw new InvalidInputException($"--scale {layout.Upscale} must be 1 to {LargestScale}, or 0 for the usual one.");
        int usual = Math.Max(1, UsualSide / Math.Max(shape.Width, shape.Height));
        _layout = layout.Upscale > 0 ? layout : layout with { Upscale = usual };
        (_folder, _grid, _raw) = (folder, grid, raw);
        int count = seeds.Count;
        if (shape.Channels is not (1 or 3) && (folder ?? grid) is not null)
        {
            bool isLatent = source.Model is { Network: not null, Autoencoder: null, Config: var config }
                && (config.Network.IsOfPipelines || config.LatentScaling is not null);
            throw new InvalidInputException(isLatent
                ? $"The model makes latents of {shape.Channels} channels, not images: {CheckpointFlags.Decodes}. --output takes latents."
                : $"The model makes images of {shape.Channels} channels; PNG files hold 1 or 3. --output takes any.");
        }

        if (raw is not null && (Directory.Exists(raw) || count * shape.Dimension * sizeof(double) > int.MaxValue))
        {
            throw new InvalidInputException(Directory.Exists(raw)
                ? $"Cannot write {raw}: it is a folder; --output is a file, e.g. samples.npz."
                : $"{count} images of {shape} are too many for one --output file of 2 GiB; take fewer at a time.");
        }

        if (grid is not null)
        {
            PngFile.CheckName(grid);
            CheckGrid(shape, count, _layout);
        }

        RefuseOthers();
    }

    /// <summary>Says in the folder whose images these are, and takes away the manifest of earlier ones: it must not stand beside these,
    /// should they be interrupted.</summary>
    public void Begin()
    {
        if (_begun || _folder is null)
            return;
        _begun = true;
        JsonFile.Write(Path.Combine(_folder, BegunName), new Begun(_identity));
        foreach (string about in new[] { SampleManifest.Name, ImageCaptions.ListName })
            File.Delete(Path.Combine(_folder, about));
    }

    /// <summary>Writes or keeps the images of a batch.</summary>
    public void Take(SampledBatch batch)
    {
        using var scope = torch.NewDisposeScope();
        var images = _source.ImagesOf(batch.Images);
        if (_folder is not null)
        {
            (long Seed, byte[] Png)[] encoded = [.. Encoded(images, batch.Seeds)]; // before the folder is touched
            Begin();
            foreach (var (seed, png) in encoded)
                Take(seed, png);
        }

        if (_folder is not null && _source.Model?.Prompts is not null)
        {
            long[]? labels = batch.Labels?.cpu().data<long>().ToArray();
            _captions.AddRange(batch.Seeds.Select((seed, i) => (PngFile.Name(seed), Caption(labels?[i] ?? -1))));
        }

        if (_grid is not null || (_raw is not null && !ReferenceEquals(images, batch.Images)))
            _images.Add(images.clone().DetachFromDisposeScope());
        if (_raw is not null)
        {
            _samples.Add(batch.Images.clone().DetachFromDisposeScope());
            _seeds.AddRange(batch.Seeds);
            if (batch.Labels is { } labels)
                _labels.Add(labels.cpu().clone().DetachFromDisposeScope());
        }
    }

    /// <summary>Writes an image as it is encoded into the folder.</summary>
    public void Take(long seed, byte[] png) =>
        AtomicFile.Write(Path.Combine(_folder!, PngFile.Name(seed)), stream => stream.Write(png));

    /// <summary>The images of a batch as PNG, by seed.</summary>
    public IEnumerable<(long Seed, byte[] Png)> Encoded(SampledBatch batch)
    {
        using var scope = torch.NewDisposeScope();
        return [.. Encoded(_source.ImagesOf(batch.Images), batch.Seeds)];
    }

    /// <summary>Writes the grid, the NumPy file and the manifest.</summary>
    /// <param name="latents">What the images were made from, where that is no seeds; null (default) for seeds.</param>
    public void Finish(SampleManifest manifest, torch.Tensor? latents = null)
    {
        using var scope = torch.NewDisposeScope();
        var images = _images.Count == 0 ? null : torch.cat(_images);
        if (_samples.Count > 0)
            WriteRaw(_raw!, torch.cat(_samples), _source.Sampled == _source.Shape ? null : images, latents, manifest.EvaluationsPerImage);
        if (_grid is not null && images is not null)
            PngFile.WriteGrid(_grid, images, _layout);

        // Images that came from parts are those of their seeds.
        if (_folder is not null && _source.Model?.Prompts is not null && _captions.Count == 0)
            _captions.AddRange(_own.Select(seed => (PngFile.Name(seed), Caption(_label ?? seed % _source.Classes))));
        // So that the folder may be read as one of captioned images.
        if (_captions.Count > 0 && _captions.TrueForAll(each => each.Caption.Trim().Length > 0))
            AtomicFile.WriteText(Path.Combine(_folder!, ImageCaptions.ListName), ImageCaptions.Text(_captions));
        if (_folder is not null)
        {
            JsonFile.Write(Path.Combine(_folder, SampleManifest.Name), manifest);
            File.Delete(Path.Combine(_folder, BegunName));
        }
    }

    public void Dispose()
    {
        _images.ForEach(images => images.Dispose());
        _samples.ForEach(samples => samples.Dispose());
        _labels.ForEach(labels => labels.Dispose());
    }

    // One after another: a value that is none is told by its image alone.
    private static IEnumerable<(long Seed, byte[] Png)> Encoded(torch.Tensor images, IReadOnlyList<long> seeds)
    {
        for (int i = 0; i < seeds.Count; i++)
        {
            using var image = images[i];
            yield return (seeds[i], PngFile.Encode(image).Single());
        }
    }

    private string Caption(long label)
    {
        var prompts = _source.Model!.Prompts!;
        return label >= 0 ? prompts.Texts[(int)label] : prompts.Negative;
    }

    // Other images would be measured with these later on.
    private void RefuseOthers()
    {
        if (_folder is null || !Directory.Exists(_folder))
            return;
        string? first = null;
        int own = 0, others = 0;
        foreach (string path in There())
        {
            if (IsOwn(path))
            {
                own++;
                continue;
            }

            others++;
            string name = Path.GetRelativePath(_folder, path);
            first = first is null || string.CompareOrdinal(name, first) < 0 ? name : first;
        }

        if (first is not null)
        {
            throw new InvalidInputException(
                $"{_folder} holds {others} other image{(others == 1 ? "" : "s")}, {EntryName.Shown(first)} for one, which "
                    + "would be mixed with these; choose another --out, or take them out of it.");
        }

        string? said = new[] { SampleManifest.Name, BegunName }.FirstOrDefault(n => File.Exists(Path.Combine(_folder, n)));
        if (said is null ? own > 0 : IdentityIn(Path.Combine(_folder, said)) != _identity)
        {
            throw new InvalidInputException($"{_folder} holds {(said == SampleManifest.Name ? said : "images")} that this model and "
                + "sampler did not make with these options; choose another --out, or empty it.");
        }
    }

    private static string? IdentityIn(string path)
        => JsonFile.Read<JsonElement>(path) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("identity", out var identity)
            && identity.ValueKind == JsonValueKind.String ? identity.GetString() : null;

    // The images in the folder, by their full names, but the grid that is written anyway.
    private IEnumerable<string> There()
    {
        string root = Path.GetFullPath(_folder!);
        return FolderTree.Files(root).Where(EntryName.HasImageName).Select(name => Path.Combine(root, name))
            .Where(name => _grid is null || name != Path.GetFullPath(_grid));
    }

    private bool IsOwn(string path)
    {
        string name = Path.GetFileName(path);
        return Path.GetDirectoryName(path) == Path.GetFullPath(_folder!)
            && long.TryParse(Path.GetFileNameWithoutExtension(name), NumberStyles.None, CultureInfo.InvariantCulture, out long seed)
            && name == PngFile.Name(seed) && (_own is SeedList list ? list.Has(seed) : seed < _own.Count);
    }

    // With what they were made from, so that another program, or verify, can make them again.
    private void WriteRaw(
        string path, torch.Tensor samples, torch.Tensor? decoded, torch.Tensor? latents, double evaluationsPerImage)
    {
        if (!samples.isfinite().all().item<bool>())
        {
            throw new InvalidInputException("A sample holds NaN or infinite values, so nothing was written: the model diverges at these "
                + "noise levels, or the latents are no unit noise.");
        }

        var arrays = new Dictionary<string, NpyArray>
        {
            ["samples"] = NpyArray.FromTensor(samples),
            ["nfe"] = new(new[] { (long)Math.Round(evaluationsPerImage) }),
        };
        if (decoded is not null)
            arrays.Add("images", NpyArray.FromTensor(decoded));
        if (latents is null)
            arrays.Add("seeds", new(_seeds.ToArray(), _seeds.Count));
        else
            arrays.Add("latents", NpyArray.FromTensor(latents));
        if (_labels.Count > 0)
            arrays.Add("labels", NpyArray.FromTensor(torch.cat(_labels)));
        NpzFile.Write(path, arrays);
    }

    private sealed record Begun(string Identity);

    private static void CheckGrid(ImageShape shape, int count, GridLayout layout)
    {
        if (count > MaximumGrid || layout.Columns is < 0 or > 1024)
        {
            throw new InvalidInputException($"A grid holds at most {MaximumGrid} images in at most 1024 columns, not {count} in "
                + $"{layout.Columns}; leave --grid out or take fewer seeds.");
        }

        long across = layout.Columns > 0 ? Math.Min(layout.Columns, count) : (long)Math.Ceiling(Math.Sqrt(count));
        long down = (count + across - 1) / across, scale = layout.Upscale;
        if (across * ((shape.Width * scale) + 1) > LargestSide || down * ((shape.Height * scale) + 1) > LargestSide)
        {
            throw new InvalidInputException($"A grid of {across} x {down} images of {shape.Width} x {shape.Height} pixels is too large: "
                + $"sides may be {LargestSide}; take fewer seeds, other --columns or a smaller --scale.");
        }
    }
}
