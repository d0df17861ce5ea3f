SELECT {{ ts|ident }}.compress_chunk({{ item.chunk }}, if_not_compressed => true, recompress => true)
