using System.Text;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Mean and covariance of features in the file format that EDM's fid.py and pytorch-fid share: an <c>.npz</c> with <c>mu</c> [d] and <c>sigma</c> [d,d], float64. Owns the statistics; dispose it.</summary>
/// <remarks>Files written here say in three further arrays, which the other programs leave alone, of how many images and which, and by which network; files of others do not.</remarks>
public sealed class FeatureMoments : IDisposable
{
    private const string MeanName = "mu", CovarianceName = "sigma", CountName = "count", ImagesName = "images_sha256", ExtractorName = "extractor_sha256";
    private const int HashLength = 64;

    /// <summary>Takes statistics over.</summary>
    /// <param name="statistics">Mean and covariance; owned here from now on.</param>
    /// <param name="count">Number of images; null where it is not known.</param>
    /// <param name="imageSetHash">Hash of the images; null where it is not known.</param>
    /// <param name="extractorHash">Hash of the feature network; null where it is not known.</param>
    public FeatureMoments(FeatureStatistics statistics, long? count, string? imageSetHash, string? extractorHash)
    {
        (Statistics, Count, ImageSetHash, ExtractorHash) = (statistics, count, imageSetHash, extractorHash);
    }

    /// <summary>Mean and covariance; its count means something only where <see cref="Count"/> is not null. Owned here.</summary>
    public FeatureStatistics Statistics { get; }

    /// <summary>Number of images; null where the file does not say.</summary>
    public long? Count { get; }

    /// <summary>Hash of the images; null where the file does not say.</summary>
    public string? ImageSetHash { get; }

    /// <summary>Hash of the feature network; null where the file does not say.</summary>
    public string? ExtractorHash { get; }

    /// <summary>Measures all images of a set.</summary>
    /// <param name="images">The images, two or more, of the extractor's shape.</param>
    /// <param name="extractor">The feature network.</param>
    /// <param name="batch">Images at a time, 1 or more.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The statistics; the caller owns them.</returns>
    /// <exception cref="InvalidInputException">The images do not fit the extractor or are fewer than two, or a feature is not finite.</exception>
    public static FeatureMoments Measure(IImageSet images, IFeatureExtractor extractor, int batch, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (images.Count < 2)
        {
            throw new InvalidInputException($"Statistics need 2 or more images; the set has {images.Count}.");
        }

        var statistics = new FeatureStatistics(extractor.Dimension);
        try
        {
            ImageFeatures.Add(statistics, images, [.. Enumerable.Range(0, images.Count)], extractor, batch, progress, cancellation);
            return new FeatureMoments(statistics, statistics.Count, images.Hash, extractor.Hash);
        }
        catch
        {
            statistics.Dispose();
            throw;
        }
    }

    /// <summary>Length d of the feature vectors of a file, from its headers alone: two megabytes of zip can claim gigabytes of covariance.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It is missing, damaged, or holds no statistics.</exception>
    public static int Dimension(string path)
    {
        var names = NpzFile.Names(path);
        return names.Contains(MeanName) && names.Contains(CovarianceName)
            && NpzFile.Shape(path, MeanName) is [>= 1 and <= FeatureStatistics.MostDimensions and var d] && NpzFile.Shape(path, CovarianceName) is [var rows, var columns] && rows == d && columns == d
            ? (int)d
            : throw new InvalidInputException($"{path} holds no feature statistics: arrays 'mu' [d] and 'sigma' [d,d] are needed, d at most {FeatureStatistics.MostDimensions}. Make them with: fewstep data stats.");
    }

    /// <summary>Reads a file of this program, EDM or pytorch-fid.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The statistics; the caller owns them.</returns>
    /// <exception cref="InvalidInputException">It is missing, damaged, or holds no sound statistics.</exception>
    public static FeatureMoments Read(string path)
    {
        Dimension(path);
        var names = NpzFile.Names(path);
        string[] wanted = [MeanName, CovarianceName, .. new[] { CountName, ImagesName, ExtractorName }.Where(names.Contains)];
        var arrays = NpzFile.Read(path, wanted, maximumBytes: 4L << 30);
        long? count = arrays.TryGetValue(CountName, out var stored) ? stored.Values is long[] and [>= 2 and long images] ? images : throw Damaged(path, CountName) : null;
        using var scope = NewDisposeScope();
        Tensor mean = Floating(arrays[MeanName], path, MeanName), covariance = Floating(arrays[CovarianceName], path, CovarianceName);
        try
        {
            return new FeatureMoments(FeatureStatistics.FromMoments(count ?? 2, mean, covariance), count, Hash(arrays, ImagesName, path), Hash(arrays, ExtractorName, path));
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Writes a file that EDM and pytorch-fid read, whole or not at all. Equal content makes equal files.</summary>
    /// <param name="path">Target.</param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public void Write(string path)
    {
        using var scope = NewDisposeScope();
        var arrays = new Dictionary<string, NpyArray>
        {
            [MeanName] = NpyArray.FromTensor(Statistics.Mean()),
            [CovarianceName] = NpyArray.FromTensor(Statistics.Covariance()),
        };
        if (Count is long count)
        {
            arrays[CountName] = new NpyArray(new[] { count });
        }

        foreach (var (name, hash) in new[] { (ImagesName, ImageSetHash), (ExtractorName, ExtractorHash) })
        {
            if (hash is not null)
            {
                byte[] text = Encoding.ASCII.GetBytes(hash);
                arrays[name] = new NpyArray(text, text.Length);
            }
        }

        NpzFile.Write(path, arrays);
    }

    /// <inheritdoc/>
    public void Dispose() => Statistics.Dispose();

    private static Tensor Floating(NpyArray array, string path, string name) => array.Values switch
    {
        double[] or float[] => array.ToTensor(),
        _ => throw new InvalidInputException($"{path}: '{name}' must be float64 or float32 numbers."),
    };

    private static string? Hash(IReadOnlyDictionary<string, NpyArray> arrays, string name, string path)
    {
        if (!arrays.TryGetValue(name, out var stored))
        {
            return null;
        }

        return stored.Values is byte[] { Length: HashLength } text && text.All(b => char.IsAsciiHexDigitLower((char)b)) ? Encoding.ASCII.GetString(text) : throw Damaged(path, name);
    }

    private static InvalidInputException Damaged(string path, string name) => new($"{path} is damaged: '{name}' is not what fewstep writes there. Make it again with: fewstep data stats.");
}
