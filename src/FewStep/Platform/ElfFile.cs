namespace FewStep.Platform;

/// <summary>A section of an ELF file.</summary>
/// <param name="Link">Index of the section that it belongs to, e.g. that of its names.</param>
internal readonly record struct ElfSection(uint Type, long Offset, long Size, uint Link, uint Info);

/// <summary>The sections of a 64-bit little-endian ELF file, read without trusting anything in it.</summary>
/// <remarks>Layout: the generic ELF ABI, "Object Files".</remarks>
internal sealed class ElfFile
{
    private const int HeaderBytes = 64, SectionBytes = 64;
    private const long LargestSection = 1 << 29;
    private readonly Stream _stream;

    private ElfFile(Stream stream, ElfSection[] sections) => (_stream, Sections) = (stream, sections);

    private static ReadOnlySpan<byte> Magic => [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]; // class 64, little endian
    public IReadOnlyList<ElfSection> Sections { get; }

    public static ElfFile Read(Stream stream)
    {
        byte[] header = new byte[HeaderBytes];
        if (stream.Length < HeaderBytes || !At(stream, 0, header).AsSpan(0, 6).SequenceEqual(Magic))
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(40));
        int entry = BinaryPrimitives.ReadUInt16LittleEndian(
            header.AsSpan(58)), count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(60));
        if (count > 0
            && (entry != SectionBytes || table > (ulong)stream.Length || (ulong)stream.Length - table < (ulong)entry * (ulong)count))
        {
            throw Outside();
        }

        byte[] bytes = count == 0 ? [] : At(stream, (long)table, new byte[entry * count]);
        return new ElfFile(stream, [.. Enumerable.Range(0, count).Select(i => Section(bytes.AsSpan(i * entry, SectionBytes)))]);
    }

    public byte[] Content(ElfSection section) =>
        section.Offset >= 0 && section.Size is >= 0 and <= LargestSection && section.Offset <= _stream.Length - section.Size
            ? At(_stream, section.Offset, new byte[section.Size])
            : throw Outside();

    /// <summary>The content of the section that another one links to.</summary>
    public byte[] Linked(ElfSection section)
        => section.Link < (uint)Sections.Count ? Content(Sections[(int)section.Link]) : throw Outside();

    /// <summary>What all defects of tables have in common.</summary>
    internal static InvalidDataException Outside(Exception? cause = null) => new("The ELF file's tables point outside of the file.", cause);

    private static ElfSection Section(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]));

    private static byte[] At(Stream stream, long offset, byte[] bytes)
    {
        stream.Position = offset;
        try
        {
            stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException e)
        {
            throw Outside(e);
        }

        return bytes;
    }
}
