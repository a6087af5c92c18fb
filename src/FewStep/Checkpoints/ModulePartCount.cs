using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>Counts the parts of a pickled network: a pickle may recall one module or tensor at many places, so that few bytes describe a tree without end.</summary>
/// <param name="path">What messages call the file.</param>
/// <param name="length">Bytes of the file.</param>
internal sealed class ModulePartCount(string path, long length)
{
    private const int Most = 200_000;
    private const int LongestName = 256;

    // A part takes two bytes at least: one that recalls its name, one for its value.
    private readonly long _most = Math.Min(Most, length / 2);
    private long _parts;

    /// <summary>Counts one.</summary>
    /// <param name="nameLength">Characters of its dotted name.</param>
    /// <exception cref="InvalidInputException">The name is longer, or the parts are more, than any network's.</exception>
    public void Add(int nameLength)
    {
        if (nameLength > LongestName || ++_parts > _most)
        {
            throw new InvalidInputException($"{path} is damaged or hostile: it nests modules without end, or under names of more than {LongestName} characters. Fetch the file again.");
        }
    }
}
