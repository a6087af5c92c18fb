using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>The header of a NumPy file: element type, memory order, shape. NumPy writes it as a Python dictionary; nothing but its three keys is read.</summary>
/// <param name="Descriptor">Element type in NumPy's name, one of <see cref="NpyElement.Size"/>.</param>
/// <param name="FortranOrder">Whether the first axis is the fastest in memory.</param>
/// <param name="Shape">Sizes of the axes.</param>
/// <param name="Count">Number of values.</param>
internal sealed record NpyHeader(string Descriptor, bool FortranOrder, long[] Shape, int Count)
{
    private const int MaximumAxes = 32;
    private const int MaximumHeaderBytes = 1 << 16;

    /// <summary>Bytes of the values.</summary>
    public long DataBytes => (long)Count * NpyElement.Size(Descriptor)!.Value;

    /// <summary>Reads the header and compares it with the file's length, so that nothing is allocated for values that are not there.</summary>
    /// <param name="stream">At the start of the file; afterwards at the first value.</param>
    /// <param name="length">Bytes of the whole file.</param>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="InvalidInputException">It is no NumPy file, holds an unknown type, or its sizes do not agree.</exception>
    public static NpyHeader Read(Stream stream, long length, string name)
    {
        Span<byte> start = stackalloc byte[12];
        int prefix = 10;
        if (length < prefix)
        {
            throw Damaged(name, "it is too short for a NumPy file");
        }

        stream.ReadExactly(start[..prefix]);
        if (start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
        {
            throw Damaged(name, "it does not start like a NumPy file");
        }

        long headerBytes = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (start[6] is 2 or 3 && length >= 12)
        {
            prefix = 12;
            stream.ReadExactly(start[10..]);
            headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        }
        else if (start[6] != 1)
        {
            throw Damaged(name, $"its version {start[6]} is not 1, 2 or 3");
        }

        if (headerBytes > MaximumHeaderBytes || headerBytes > length - prefix)
        {
            throw Damaged(name, $"its header claims {headerBytes} bytes");
        }

        byte[] text = new byte[headerBytes];
        stream.ReadExactly(text);
        NpyHeader header = Parse(Encoding.UTF8.GetString(text), name);
        if (header.DataBytes != length - prefix - headerBytes)
        {
            throw Damaged(name, $"its shape needs {header.DataBytes} bytes and it holds {length - prefix - headerBytes}");
        }

        return header;
    }

    /// <summary>The bytes of a version 1 header for an array.</summary>
    public static byte[] Write(NpyArray array)
    {
        string sizes = string.Join(", ", array.Shape.Select(size => size.ToString(CultureInfo.InvariantCulture))) + (array.Shape.Length == 1 ? "," : "");
        string text = $"{{'descr': '{NpyElement.Descriptor(array.Values)}', 'fortran_order': False, 'shape': ({sizes}), }}";

        // The format asks for values aligned to 64 bytes and a newline at the end of the header.
        int padded = (10 + text.Length + 1 + 63) / 64 * 64;
        byte[] bytes = [0x93, .. "NUMPY"u8, 1, 0, 0, 0, .. Encoding.ASCII.GetBytes(text.PadRight(padded - 11)), (byte)'\n'];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(padded - 10));
        return bytes;
    }

    private static NpyHeader Parse(string text, string name)
    {
        var literal = new NpyHeaderLiteral(text, name);
        literal.Parse();
        if (literal.Descriptor is not { } descriptor || literal.FortranOrder is not { } fortran || literal.Shape is not { } shape)
        {
            throw Damaged(name, "its header lacks 'descr', 'fortran_order' or 'shape'");
        }

        if (NpyElement.Size(descriptor) is not { } size)
        {
            throw new InvalidInputException($"{name} holds values of type {Printable.Text(descriptor)}; readable are <f4, <f8, <f2, <i4, <i8 and |u1. Convert it with astype.");
        }

        if (shape.Count > MaximumAxes)
        {
            throw Damaged(name, $"it has {shape.Count} axes");
        }

        // All axes count toward the limit, zeros too, so that no product can overflow.
        long limit = int.MaxValue / size, count = 1, bound = 1;
        foreach (long axis in shape)
        {
            if (axis > limit || (bound *= Math.Max(axis, 1)) > limit)
            {
                throw new InvalidInputException($"{name} claims more than 2 GiB in one array. Split it.");
            }

            count *= axis;
        }

        return new NpyHeader(descriptor, fortran, [.. shape], (int)count);
    }

    private static InvalidInputException Damaged(string name, string what) => new($"{name} is damaged: {what}. Save it again with numpy.save or numpy.savez.");
}
