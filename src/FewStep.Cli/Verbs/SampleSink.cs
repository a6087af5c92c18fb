using FewStep.Data;
using FewStep.Denoising;
using FewStep.Runtime;
using FewStep.Sampling;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>Where sampled images go: a folder, a grid, or both. Every file is written whole or not at all, the manifest last.</summary>
internal sealed class SampleSink : IDisposable
{
    private const int MaximumGrid = 4096;
    private const long LargestSide = 32768;
    private readonly string? _folder;
    private readonly string? _grid;
    private readonly GridLayout _layout;
    private readonly List<torch.Tensor> _kept = [];

    /// <summary>Prepares the places.</summary>
    /// <param name="shape">Shape of the images.</param>
    /// <param name="count">Number of images.</param>
    /// <param name="folder">Folder; null for none.</param>
    /// <param name="grid">Grid file; null for none.</param>
    /// <param name="columns">Images in a row of the grid; 0 makes it square.</param>
    /// <exception cref="InvalidInputException">The images are neither gray nor RGB, or the grid would be too large or is no PNG file.</exception>
    public SampleSink(ImageShape shape, int count, string? folder, string? grid, int columns)
    {
        (_folder, _grid, _layout) = (folder, grid, new GridLayout { Columns = columns });
        if (shape.Channels is not (1 or 3))
        {
            throw new InvalidInputException($"The model makes images of {shape.Channels} channels; PNG files hold 1 or 3.");
        }

        if (grid is not null)
        {
            PngFile.CheckName(grid);
            CheckGrid(shape, count, columns);
        }

        // A manifest of other images must not stand beside these, should they be interrupted.
        if (folder is not null && Path.Combine(folder, SampleManifest.Name) is var manifest && File.Exists(manifest))
        {
            File.Delete(manifest);
        }
    }

    /// <summary>Writes or keeps the images of a batch.</summary>
    /// <param name="batch">The batch; stays the caller's.</param>
    /// <exception cref="InvalidInputException">An image holds NaN, or a file cannot be written.</exception>
    public void Take(SampledBatch batch)
    {
        for (int i = 0; _folder is not null && i < batch.Seeds.Count; i++)
        {
            using var image = batch.Images[i];
            PngFile.WriteEach(_folder, image, batch.Seeds[i]);
        }

        if (_grid is not null)
        {
            _kept.Add(batch.Images.clone());
        }
    }

    /// <summary>Writes the grid and the manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public void Finish(SampleManifest manifest)
    {
        if (_grid is not null)
        {
            using var all = torch.cat(_kept);
            PngFile.WriteGrid(_grid, all, _layout);
        }

        if (_folder is not null)
        {
            JsonFile.Write(Path.Combine(_folder, SampleManifest.Name), manifest);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _kept.ForEach(images => images.Dispose());

    private static void CheckGrid(ImageShape shape, int count, int columns)
    {
        if (count > MaximumGrid || columns is < 0 or > 1024)
        {
            throw new InvalidInputException($"A grid holds at most {MaximumGrid} images in at most 1024 columns, not {count} in {columns}; leave --grid out or take fewer seeds.");
        }

        long across = columns > 0 ? Math.Min(columns, count) : (long)Math.Ceiling(Math.Sqrt(count));
        long down = (count + across - 1) / across;
        if (across * (shape.Width + 1) > LargestSide || down * (shape.Height + 1) > LargestSide)
        {
            throw new InvalidInputException($"A grid of {across} x {down} images of {shape.Width} x {shape.Height} pixels is too large: sides may be {LargestSide}; take fewer seeds or other --columns.");
        }
    }
}
