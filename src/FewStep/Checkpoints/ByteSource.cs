using Microsoft.Win32.SafeHandles;

namespace FewStep.Checkpoints;

/// <summary>Bytes in a file or in memory, read by position: a checkpoint's weights go straight from the file into their tensors.</summary>
internal sealed class ByteSource : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly long _start;
    private readonly bool _ownsFile;

    public ByteSource(ReadOnlyMemory<byte> memory, string name)
        : this(null, memory, 0, memory.Length, name, ownsFile: false)
    {
    }

    private ByteSource(SafeFileHandle? file, ReadOnlyMemory<byte> memory, long start, long length, string name, bool ownsFile)
        => (_file, _memory, _start, Length, Name, _ownsFile) = (file, memory, start, length, name, ownsFile);

    /// <summary>What error messages call these bytes: the file's path.</summary>
    public string Name { get; }

    public long Length { get; }

    /// <summary>Opens a file; the result must be disposed, its slices need not.</summary>
    public static ByteSource Open(string path) => ReadFailure.Guard(path, () =>
    {
        InputFile.Check(path);
        GitLfsPointer.Refuse(path);
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
        return new ByteSource(file, default, 0, RandomAccess.GetLength(file), path, ownsFile: true);
    });

    /// <summary>A part of these bytes, without copying; it lives as long as this source.</summary>
    public ByteSource Slice(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return new ByteSource(_file, _memory, _start + offset, length, Name, ownsFile: false);
    }

    /// <summary>Whether the bytes begin with the signature of zip files.</summary>
    public bool IsZip()
    {
        Span<byte> start = stackalloc byte[2];
        Read(0, start[..(int)Math.Min(2, Length)]);
        return start.SequenceEqual("PK"u8);
    }

    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || destination.Length > Length - offset)
        {
            throw new InvalidInputException(
                $"{Name} is cut short: {destination.Length} bytes are missing at byte {_start + offset}. Fetch the file again.");
        }

        if (_file is null)
        {
            _memory.Span.Slice((int)(_start + offset), destination.Length).CopyTo(destination);
            return;
        }

        try
        {
            for (int done = 0; done < destination.Length;)
            {
                int count = RandomAccess.Read(_file, destination[done..], _start + offset + done);
                if (count == 0)
                    throw new InvalidInputException($"{Name} became shorter while it was read. Try again when nothing writes to it.");
                done += count;
            }
        }
        catch (IOException e)
        {
            throw ReadFailure.Of(Name, e);
        }
    }

    public byte[] ToArray(int limit)
    {
        if (Length > limit)
        {
            throw new InvalidInputException(
                $"{Name} holds a value of {Length} bytes where at most {limit} make sense. Fetch the file again.");
        }

        byte[] bytes = new byte[Length];
        Read(0, bytes);
        return bytes;
    }

    public void Dispose()
    {
        if (_ownsFile)
            _file!.Dispose();
    }
}
